// A relying party for the tests: express and passport-wsfed-saml2 do the protocol, this file only
// joins them. It serves https on loopback, sends a stranger to lanyard, and shows whoever comes
// back with a token the claims that were in it, as JSON.
//
//   node server.js '{"port": 0, "realm": …, "identityProvider": …, "signingCertificate": FILE,
//                    "tlsCertificate": FILE, "tlsKey": FILE}'
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const https = require('https');
const express = require('express');
const passport = require('passport');
const { Strategy } = require('passport-wsfed-saml2');

const settings = JSON.parse(process.argv[2]);
const people = new Map(); // cookie -> profile

const base64 = (file) => fs.readFileSync(file, 'latin1')
  .replace(/-----[A-Z ]+-----|\s/g, '');

passport.use(new Strategy({
  realm: settings.realm,
  identityProviderUrl: settings.identityProvider,
  homeRealm: '', // the library's own word for "leave whr out"
  cert: base64(settings.signingCertificate),
}, (profile, done) => done(null, profile)));

const cookieOf = (request, name) => (request.headers.cookie || '').split('; ')
  .filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1))[0];

const give = (response, name, value) =>
  response.cookie(name, value, { httpOnly: true, secure: true, sameSite: 'none' });

const app = express();
app.use(passport.initialize());

// Sends the browser to lanyard. The state in wctx must come back; what the query holds goes along
// (wfresh, wauth, prompt, username), so that tests can ask for it.
app.get('/sign-in', (request, response, next) => {
  const state = `${crypto.randomBytes(16).toString('hex')} <&"'> état`;
  give(response, 'state', state);
  passport.authenticate('wsfed-saml2', { ...request.query, wctx: state, session: false })(
    request, response, next);
});

app.post('/signin-wsfed', express.urlencoded({ extended: false, limit: '256kb' }), (request, response, next) => {
  if (request.body.wctx !== decodeURIComponent(cookieOf(request, 'state') || '')) {
    return response.status(403).json({ error: 'wctx did not come back as it was sent' });
  }
  return passport.authenticate('wsfed-saml2', { session: false })(request, response, next);
}, (request, response) => {
  const id = crypto.randomBytes(16).toString('hex');
  people.set(id, request.user);
  give(response, 'person', id);
  response.redirect(303, '/');
});

app.get('/', (request, response) => {
  const claims = people.get(cookieOf(request, 'person'));
  return claims ? response.json({ claims }) : response.redirect('/sign-in');
});

app.use((error, request, response, next) => response.status(403).json({ error: error.message }));

const server = https.createServer({
  cert: fs.readFileSync(settings.tlsCertificate),
  key: fs.readFileSync(settings.tlsKey),
}, app);
server.listen(settings.port, '127.0.0.1', () =>
  console.log(JSON.stringify({ ready: true, port: server.address().port })));
process.on('SIGTERM', () => process.exit(0));
