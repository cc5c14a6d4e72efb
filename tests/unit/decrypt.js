// Decrypts an assertion with the npm package xml-encryption: none of that code is ours.
// node decrypt.js MODULES KEY.pem FILE.xml
const fs = require('fs');
const [modules, key, file] = process.argv.slice(2);

require(modules + '/xml-encryption').decrypt(
  fs.readFileSync(file, 'utf8'),
  { key: fs.readFileSync(key), disallowDecryptionWithInsecureAlgorithm: true },
  (error, clear) => {
    if (error) {
      console.error(error.message);
      process.exit(1);
    }
    process.stdout.write(clear);
  });
