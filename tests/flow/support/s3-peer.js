// A bucket named `clinic` in the folder that is named, until standard input ends. It knows one user, `S3RVER`, and
// reads signatures without computing them (s3_signed_peer.py does).
// Says its port.
const S3rver = require('s3rver');

const server = new S3rver({ address: '127.0.0.1', port: 0, directory: process.argv[2], silent: true, configureBuckets: [{ name: 'clinic' }] });
server.run().then(({ port }) => {
  console.log(port);
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
});
