// What npm's passport-saml-metadata reads in federation metadata, as one line of JSON.
//   node read_metadata.js FILE
'use strict';

const fs = require('fs');
const { MetadataReader } = require('passport-saml-metadata');

const read = new MetadataReader(fs.readFileSync(process.argv[2], 'utf8'), { throwExceptions: true });
console.log(JSON.stringify({
  entityId: read.entityId,
  identityProviderUrl: read.identityProviderUrl,
  logoutUrl: read.logoutUrl,
  identifierFormat: read.identifierFormat,
  signingCertificates: read.signingCerts,
  claims: read.claimSchema,
}));
