// One event stream, shared by all tabs of the browser: over HTTP/1.1 it allows six connections a host, and
// a front desk keeps many tabs. The tab that holds the lock has the EventSource and tells the others. A tab
// that comes to the front takes the lock, because browsers freeze those at the back. Whoever gets it resumes
// from the last event it saw itself, so nothing is missed in between.

/** An EventSource hears only the kinds it asked for: a new kind of event has to be named here. */
const KINDS = [
  'conversation.opened', 'conversation.routed', 'conversation.accepted', 'conversation.assigned', 'conversation.closed',
  'conversation.reopened', 'conversation.snoozed', 'conversation.tagged', 'view.saved', 'view.deleted', 'message.received', 'message.queued', 'message.state', 'media.state', 'note.added', 'message.scheduled', 'message.rescheduled', 'message.unscheduled',
  'identity.linked', 'identity.asked', 'identity.matched', 'identity.unmatched', 'identity.gave_up', 'policy.fault',
  'identity.timed_out', 'identity.expired', 'identity.locked', 'identity.unlocked', 'identity.verified', 'identity.created',
  'identity.repointed', 'identity.split', 'policy.skipped', 'replies.loop', 'opt_out.recorded', 'opt_out.cleared', 'opt_out.suggested', 'opt_out.dismissed', 'replies.quiet',
  'patient.created', 'patient.changed', 'patient.merged', 'patient.unmerged', 'patient.deleted',
  'roster.waiting', 'roster.progress', 'roster.ended', 'roster.looked', 'roster_source.created', 'roster_source.changed',
  'number.created', 'number.changed', 'number.registration', 'carrier_account.created', 'carrier_account.changed', 'carrier_account.rotated', 'carrier_account.link',
  'webhook.created', 'webhook.changed', 'webhook.deleted', 'webhook.disabled',
  'delivery.kept', 'delivery.retried', 'organization.texting',
  'organization.changed', 'facility.created', 'facility.changed', 'facility.deleted', 'team.created', 'team.changed', 'team.deleted', 'staff.created', 'staff.changed', 'staff.signed_out',
  'support.asked', 'support.answered', 'support.seen', 'support.closed', 'support.mail',
] as const;
/** What is said and not kept, without a place in the sequence. */
const SAID = ['presence', 'draft', 'own'] as const;
const LOCK = 'anteroom-live';
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/** What the stream says of something that happened: ids and states, nothing that quotes anybody. */
export interface LiveEvent {
  seq: number;
  kind: string;
  at: string;
  conversation_id: string | null;
  actor: string;
  actor_id: string | null;
  data: Record<string, unknown>;
}

/** What somebody does at this moment, or what one's other pages have changed. */
export interface LiveSaid {
  kind: (typeof SAID)[number];
  conversation_id: string | null;
  staff_id: string;
  state?: 'viewing' | 'replying' | 'away';
  page?: string | null;
  what?: string;
}

export interface LiveHandlers {
  /** Each event once, in order. `leading`: of the browser's tabs this one may tell of it. */
  onEvent: (event: LiveEvent, leading: boolean) => void;
  onSaid: (said: LiveSaid) => void;
  /** Events are missing, or nobody knows; load everything again. */
  onGap: () => void;
  /** Whether live updates work; called on changes. */
  onState: (up: boolean) => void;
  /** The stream broke; the session may have ended. */
  onDoubt: () => void;
}

type Told = { type: 'hello' } | { type: 'said'; said: LiveSaid } | { type: 'gap' } | { type: 'event'; event: LiveEvent } | { type: 'state'; up: boolean | null };

/** Follows `/api/v1/events` until `stop()`. */
export function startLive({ onEvent, onSaid, onGap, onState, onDoubt }: LiveHandlers): { stop: () => void } {
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('anteroom-live') : null;
  const ended = new AbortController();
  let lastSeq: number | null = null;
  let up: boolean | null = null;
  let source: EventSource | null = null;
  let leading = false;
  let queued = false;
  let wait = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout>;

  const tell = (message: Told) => channel?.postMessage(message);

  function setUp(value: boolean) {
    if (leading) tell({ type: 'state', up: value });
    if (up === value) return;
    up = value;
    onState(up);
  }

  function take(event: LiveEvent) {
    if (lastSeq !== null && event.seq <= lastSeq) return;
    lastSeq = event.seq;
    onEvent(event, leading);
  }

  function gap() {
    lastSeq = null;
    onGap();
  }

  function connect() {
    clearTimeout(timer);
    source?.close();
    // The address carries the position: EventSource sends Last-Event-ID only when it reconnects by itself,
    // and it gives up for good on an HTTP error, so reconnecting is done here.
    const stream = new EventSource(lastSeq !== null ? `/api/v1/events?after=${lastSeq}` : '/api/v1/events');
    source = stream;
    const guarded = <T>(handler: (data: T) => void) => (message: MessageEvent<string>) => {
      if (source !== stream) return;
      let data: T;
      try {
        data = JSON.parse(message.data) as T;
      } catch {
        return;
      }
      handler(data);
    };
    stream.addEventListener('ready', guarded<{ seq: number }>((data) => {
      wait = FIRST_WAIT_MS;
      setUp(true);
      if (lastSeq === data.seq) return;
      // The stream begins elsewhere than this page left off: what happened before is in the lists, if they
      // are loaded after this moment. A `gap` says the same and comes with such a beginning.
      lastSeq = data.seq;
      tell({ type: 'gap' });
      onGap();
    }));
    const forward = guarded<LiveEvent>((event) => {
      take(event);
      tell({ type: 'event', event });
    });
    for (const kind of KINDS) stream.addEventListener(kind, forward);
    const pass = guarded<LiveSaid>((said) => {
      onSaid(said);
      tell({ type: 'said', said });
    });
    for (const kind of SAID) stream.addEventListener(kind, pass);
    stream.addEventListener('message', forward);
    stream.addEventListener('error', () => {
      if (source !== stream) return;
      drop();
      onDoubt();
    });
  }

  function drop() {
    source?.close();
    source = null;
    setUp(false);
    clearTimeout(timer);
    // Spread out, or every front desk would come back in the same second after a restart.
    timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }

  async function lead() {
    queued = false;
    if (ended.signal.aborted) return;
    leading = true;
    connect();
    await new Promise((resolve) => ended.signal.addEventListener('abort', resolve));
  }

  /** Leads as soon as no other tab does. */
  function queue() {
    if (queued) return;
    queued = true;
    navigator.locks.request(LOCK, { signal: ended.signal }, lead).catch(lost);
  }

  function takeLead() {
    if (!leading) navigator.locks.request(LOCK, { steal: true }, lead).catch(lost);
  }

  function lost() {
    if (ended.signal.aborted) return;
    leading = false;
    clearTimeout(timer);
    source?.close();
    source = null;
    queue();
  }

  channel?.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    if (leading && data.type === 'hello') tell({ type: 'state', up });
    else if (leading) return;
    else if (data.type === 'event') take(data.event);
    else if (data.type === 'said') onSaid(data.said);
    else if (data.type === 'gap') gap();
    else if (data.type === 'state' && data.up !== null) setUp(data.up);
  });
  tell({ type: 'hello' });

  // Locks exist only where the page came over HTTPS or from this machine. Elsewhere each tab has its own.
  const shared = 'locks' in navigator && channel !== null;
  const visible = () => document.visibilityState === 'visible';
  if (!shared) lead();
  else if (visible()) takeLead();
  else queue();

  function wake() {
    if (leading && source === null) connect();
    else if (!leading && shared && visible()) takeLead();
  }
  addEventListener('online', wake, { signal: ended.signal });
  addEventListener('offline', () => leading && source && drop(), { signal: ended.signal });
  document.addEventListener('visibilitychange', () => visible() && wake(), { signal: ended.signal });

  return {
    stop() {
      leading = false;
      ended.abort();
      clearTimeout(timer);
      source?.close();
      source = null;
      channel?.close();
    },
  };
}
