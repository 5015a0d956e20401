// A mail server in the folder that is named, until standard input ends: it has a certificate of its own there
// (`ca.pem`), knows one user (`anteroom`, `s3cret`), and takes nothing for `refused@…` and for now nothing for `busy@…`.
// The second word says how it speaks: `starttls`, `wrapped`, `plain` (no TLS is offered, nobody has to sign in).
// Says its port, then each mail that it has taken as a line of JSON.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { SMTPServer } = require('smtp-server');

const [folder, how] = process.argv.slice(2);
const file = (name) => path.join(folder, name);
const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'];
execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', file('key.pem'), '-out', file('ca.pem'), ...subject], { stdio: 'ignore' });

const refusal = (code, words) => Object.assign(new Error(words), { responseCode: code });
const server = new SMTPServer({
  key: fs.readFileSync(file('key.pem')), cert: fs.readFileSync(file('ca.pem')),
  secure: how === 'wrapped', authOptional: how === 'plain', disabledCommands: how === 'plain' ? ['STARTTLS', 'AUTH'] : [],
  logger: false, disableReverseLookup: true,
  onAuth({ username, password }, session, done) {
    if (username === 'anteroom' && password === 's3cret') done(null, { user: username });
    else done(refusal(535, 'nobody of that name'));
  },
  onRcptTo({ address }, session, done) {
    if (address.startsWith('refused@')) done(refusal(550, 'no such mailbox'));
    else if (address.startsWith('busy@')) done(refusal(451, 'come again later'));
    else done();
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      const { envelope, secure, user } = session;
      console.log(JSON.stringify({ to: envelope.rcptTo.map(({ address }) => address), secure, user: user ?? null, text: Buffer.concat(parts).toString() }));
      done();
    });
  },
});
server.on('error', () => {}); // A client that doesn't trust it hangs up: that is what one of the tests is about.
server.listen(0, '127.0.0.1', () => {
  console.log(server.server.address().port);
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
});
