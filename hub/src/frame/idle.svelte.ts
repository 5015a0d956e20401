// Locks a page that nobody uses: on a shared computer, whoever comes next must not find it open.

const LOOK_MS = 1_000;
/** The warning comes so long before: time enough to press a key (WCAG 2.2.1 asks for 20 seconds). */
export const WARNING_S = 60;
/** What other tabs are told of, at most. */
const SHARE_MS = 3_000;

class Idle {
  /** Seconds left, while the page asks whether somebody is there. */
  left = $state<number | null>(null);
  private minutes = 0;
  private last = 0;
  private shared = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private lock: (minutes: number) => void = () => {};
  // Somebody who works in another tab is not gone.
  private tabs = 'BroadcastChannel' in globalThis ? new BroadcastChannel('anteroom-active') : null;

  constructor() {
    this.tabs?.addEventListener('message', () => this.here());
  }

  /** Null: never locks. */
  start(minutes: number | null, lock: (minutes: number) => void): void {
    this.stop();
    if (minutes === null) return;
    this.minutes = minutes;
    this.lock = lock;
    this.last = Date.now();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.left = null;
  }

  /** A key or a press. A pointer that moves says no more than that somebody may be passing: it doesn't end the warning. */
  active = (event: Event): void => {
    if (!this.timer || (event.type === 'pointermove' && this.left !== null)) return;
    // A computer that slept wakes to a key: too late.
    this.look();
    if (!this.timer) return;
    // The key that answers the warning does nothing else.
    if (this.left !== null && event.type === 'keydown') {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    this.here();
    const at = Date.now();
    if (at - this.shared < SHARE_MS) return;
    this.shared = at;
    this.tabs?.postMessage('active');
  };

  private here(): void {
    this.last = Date.now();
    this.left = null;
  }

  private look(): void {
    const left = Math.ceil(this.minutes * 60 - (Date.now() - this.last) / 1_000);
    if (left > 0) {
      this.left = left <= WARNING_S ? left : null;
      return;
    }
    this.stop();
    this.lock(this.minutes);
  }
}

export const idle = new Idle();
