// Verifies the enveloped signature of a whole document with npm's xml-crypto, which is none of our
// code and not xmlsec either; decrypts it before with xml-encryption where a key is given. Prints
// what was signed, in the form that was digested. Exit status 1 and the reason if it is no good.
//   node verify.js FILE CERTIFICATE.pem [KEY.pem]
'use strict';

const fs = require('fs');
const { DOMParser } = require('@xmldom/xmldom');
const { SignedXml } = require('xml-crypto');
const encryption = require('xml-encryption');

const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#';
const [file, certificate, key] = process.argv.slice(2);

function fail(why) {
  console.error(why);
  process.exit(1);
}

// The certificate is the one given: KeyInfo is not asked.
function verify(xml) {
  const root = new DOMParser().parseFromString(xml, 'text/xml').documentElement;
  const signature = Array.from(root.childNodes)
    .find((node) => node.localName === 'Signature' && node.namespaceURI === SIGNATURE);
  if (!signature) {
    fail('no signature');
  }
  const signed = new SignedXml({ publicCert: fs.readFileSync(certificate, 'utf8'),
    idAttribute: 'AssertionID', // of SAML 1.1; ID it knows
    getCertFromKeyInfo: () => null });
  signed.loadSignature(signature);
  if (!signed.checkSignature(xml)) {
    fail('the signature does not fit');
  }
  const references = signed.getSignedReferences();
  if (references.length !== 1) {
    fail(`${references.length} references`);
  }
  console.log(references[0]);
}

const xml = fs.readFileSync(file, 'utf8');

process.on('uncaughtException', (error) => fail(error.message));

if (key) {
  encryption.decrypt(xml, { key: fs.readFileSync(key), disallowDecryptionWithInsecureAlgorithm: true },
    (error, clear) => (error ? fail(error.message) : verify(clear)));
} else {
  verify(xml);
}
