// Who else is where. This page says what its person does; what others do is heard and believed for a while.
import { api } from '../lib/api';

export type Doing = 'viewing' | 'replying';

const SAY_MS = 10_000;
const LOOK_MS = 2_000;
/** As long as the server believes it, and a little for the way. */
const LASTS_MS = 32_000;
/** Somebody who stops to think is still replying. */
const TYPING_MS = 8_000;

interface Heard {
  conversation_id: string;
  staff_id: string;
  state: Doing | 'away';
}

class Presence {
  private places = $state<Record<string, Record<string, { state: Doing; until: number }>>>({});
  private id: string | null = null;
  private typedAt = 0;
  private said: { id: string; state: Doing; at: number } | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Colleagues in a conversation, those who reply first. */
  others(id: string, me: string): { id: string; state: Doing }[] {
    const here = Object.entries(this.places[id] ?? {}).filter(([staff]) => staff !== me).map(([staff, { state }]) => ({ id: staff, state }));
    return here.sort((a, b) => Number(b.state === 'replying') - Number(a.state === 'replying'));
  }

  hear({ conversation_id: id, staff_id: staff, state }: Heard): void {
    const here = { ...this.places[id] };
    if (state === 'away') delete here[staff];
    else here[staff] = { state, until: Date.now() + LASTS_MS };
    this.places[id] = here;
  }

  start(): void {
    this.stop();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.said = null;
    this.id = null;
    this.places = {};
  }

  /** The conversation that is on the screen. */
  at(id: string | null): void {
    if (id !== this.id) this.typedAt = 0;
    this.id = id;
    this.look();
  }

  typed(): void {
    const before = this.typedAt;
    this.typedAt = Date.now();
    if (this.typedAt - before > TYPING_MS) this.look();
  }

  /** What was written went out, or was taken back. */
  rested(): void {
    this.typedAt = 0;
    this.look();
  }

  /** Says what has changed, and now and then the same again; forgets who has not been heard of. */
  look = (): void => {
    const at = Date.now();
    for (const [id, here] of Object.entries(this.places)) {
      const left = Object.entries(here).filter(([, { until }]) => until > at);
      if (left.length < Object.keys(here).length) this.places[id] = Object.fromEntries(left);
    }
    if (!this.timer) return;
    // Whoever has another window in front isn't looking.
    const looking = document.visibilityState === 'visible' && document.hasFocus();
    const id = looking ? this.id : null;
    const state: Doing = at - this.typedAt < TYPING_MS ? 'replying' : 'viewing';
    const { said } = this;
    if (said && said.id !== id) void say(said.id, 'away');
    if (!id) {
      this.said = null;
      return;
    }
    if (said?.id === id && said.state === state && at - said.at < SAY_MS) return;
    this.said = { id, state, at };
    void say(id, state);
  };
}

async function say(id: string, state: Doing | 'away'): Promise<void> {
  try {
    await api.presence(id, state);
  } catch {
    // The next word says it as well.
  }
}

export const presence = new Presence();
for (const event of ['focus', 'blur', 'pagehide'] as const) globalThis.addEventListener?.(event, presence.look);
globalThis.document?.addEventListener('visibilitychange', presence.look);
