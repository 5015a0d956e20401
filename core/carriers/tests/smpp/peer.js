// A message centre by npm's `smpp`. Told what to do by lines of JSON on its input, it tells what happened on
// its output. Like a real one it sends again whatever was not acknowledged, and a receipt for each text.
//   {"deliver": N}          sends N texts, "text 0" and on; `from`: from this number on
//   {"pdu": {…}}            sends this deliver_sm; `message_hex`: its octets
//   {"raw": "hex"}          writes these octets as they are, and tells how they were answered: {"raw_answered": status}
//   {"deaf": true}          hears no acknowledgement and no sign of life until the next bind
//   {"cut": true}           breaks every connection
//   {"mute": true}          goes on listening but answers nothing
//   {"receipt_delay": N}    sends receipts only after so many milliseconds
//   {"stats": true}         {"submitted": [bodies], "acknowledged": N}
const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const [key, cert] = process.argv.slice(2);
const tell = fact => process.stdout.write(JSON.stringify(fact) + '\n');
const sessions = new Set();
const submitted = [];
const waiting = new Map();
const raw = new Set();
let next = 0, acknowledged = 0, mute = false, deaf = false, id = 0, receiptDelay = 0;

function deliver(session, number) {
    const pdu = waiting.get(number);
    if (!pdu || mute) return;
    session.deliver_sm({ ...pdu }, answer => {
        if (deaf) return;
        if (answer.command_status === 0 && waiting.delete(number)) acknowledged += 1;
        else if (answer.command_status === 0x64) setTimeout(() => sessions.forEach(s => deliver(s, number)), 50);
        else if (answer.command_status !== 0) { waiting.delete(number); tell({ refused: answer.command_status }); }
    });
}

function enqueue(pdu) {
    const number = next++;
    waiting.set(number, pdu);
    for (const session of sessions) { deliver(session, number); break; }
}

const options = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
const server = smpp.createServer(options, session => {
    session.on('error', () => sessions.delete(session));
    session.on('close', () => sessions.delete(session));
    session.on('bind_transceiver', pdu => {
        if (pdu.system_id !== 'clinic' || pdu.password !== 'secret') {
            session.send(pdu.response({ command_status: 0x0d }));
            session.close();
            return;
        }
        tell({ bound: pdu.interface_version, system_type: pdu.system_type });
        session.send(pdu.response());
        mute = deaf = false;
        sessions.add(session);
        for (const number of [...waiting.keys()]) deliver(session, number);
    });
    session.on('deliver_sm_resp', pdu => {
        if (raw.delete(pdu.sequence_number)) tell({ raw_answered: pdu.command_status });
    });
    session.on('enquire_link', pdu => { if (!mute && !deaf) session.send(pdu.response()); });
    session.on('unbind', pdu => { tell({ unbound: true }); session.send(pdu.response()); session.close(); });
    session.on('submit_sm', pdu => {
        if (mute || deaf) return;
        const message = pdu.short_message.message;
        const hex = Buffer.isBuffer(message) ? message.toString('hex') : null;
        const to = pdu.destination_addr;
        if (to.endsWith('0058')) return session.send(pdu.response({ command_status: 0x58 }));
        if (to.endsWith('0011')) return session.send(pdu.response({ command_status: 0x0b }));
        const messageId = 'm-' + (id += 1);
        submitted.push({
            id: messageId, text: hex ? null : message, hex, to, from: pdu.source_addr, ton: pdu.source_addr_ton,
            udh: pdu.short_message.udh ? pdu.short_message.udh.map(e => Buffer.isBuffer(e) ? e.toString('hex') : e) : null,
            esm: pdu.esm_class, coding: pdu.data_coding, receipt: pdu.registered_delivery,
        });
        session.send(pdu.response({ message_id: messageId }));
        if (pdu.registered_delivery) {
            const receipt = {
                esm_class: 0x04, source_addr: to, destination_addr: pdu.source_addr,
                short_message: `id:${messageId} sub:001 dlvrd:001 submit date:2611181106 done date:2611181106 stat:DELIVRD err:000 text:`,
            };
            if (receiptDelay) setTimeout(() => enqueue(receipt), receiptDelay);
            else enqueue(receipt);
        }
    });
});

server.listen(0, '127.0.0.1', () => tell({ port: server.address().port }));
readline.createInterface({ input: process.stdin }).on('line', line => {
    const order = JSON.parse(line);
    if (order.deliver) {
        for (let n = 0; n < order.deliver; n++) {
            enqueue({ source_addr: '15558675310', source_addr_ton: 1, destination_addr: '18005550100', dest_addr_ton: 1, short_message: `text ${(order.from || 0) + n}` });
        }
    }
    if (order.pdu) {
        const { message_hex, ...pdu } = order.pdu;
        if (message_hex !== undefined) pdu.short_message = Buffer.from(message_hex, 'hex');
        enqueue(pdu);
    }
    if (order.raw) {
        const octets = Buffer.from(order.raw, 'hex');
        raw.add(octets.readUInt32BE(12));
        for (const session of sessions) { session.socket.write(octets); break; }
    }
    if (order.deaf) deaf = true;
    if (order.cut) sessions.forEach(session => session.destroy());
    if (order.mute) mute = true;
    if (order.receipt_delay !== undefined) receiptDelay = order.receipt_delay;
    if (order.stats) tell({ submitted, acknowledged, waiting: waiting.size });
}).on('close', () => process.exit());
