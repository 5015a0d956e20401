// Tells of what concerns a person while they look elsewhere: a system notification, a tone, a mark on the icon. None
// of them says who wrote or what: screens at a front desk are seen by others.
import { t } from '../lib/i18n/index.svelte';
import type { LiveEvent } from '../lib/live';
import { address, go } from '../lib/route.svelte';
import { concerns, type Listener } from './concerns';
import { preferences } from './preferences.svelte';

const REPEAT_MS = 60_000;
/** What a stream that was down brings later is in the lists; nobody is called for it. */
const OLD_MS = 120_000;
const ICON = '/assets/shared/icon.svg';
const ICON_NEW = '/assets/shared/icon-new.svg';
const TONE_S = 0.16;

export type Permission = NotificationPermission | 'unsupported';
const permission = (): Permission => ('Notification' in globalThis ? Notification.permission : 'unsupported');

class Alerts {
  /** Whether this browser may show notifications. */
  allowed = $state<Permission>(permission());
  /** Conversations with something new that nobody looked at on this page. */
  private fresh = new Map<string, 'text' | 'mention'>();
  private repeating: ReturnType<typeof setInterval> | null = null;
  private audio: AudioContext | null = null;

  /** A browser plays sounds only after a gesture: the first one on the page arms it. */
  arm = (): void => {
    if (this.audio || !('AudioContext' in globalThis)) return;
    this.audio = new AudioContext();
    void this.audio.resume();
  };

  /** Asks the person; only ever by a press of theirs. */
  async ask(): Promise<void> {
    if (permission() === 'default') await Notification.requestPermission();
    this.allowed = permission();
  }

  /** `leading`: of the browser's tabs one tells. `seen`: it is on the screen in front of the person. */
  hear(event: LiveEvent, listener: Listener, leading: boolean, seen: boolean): void {
    const what = concerns(event, listener);
    if (!what || seen || Date.now() - Date.parse(event.at) > OLD_MS) return;
    const id = event.conversation_id!;
    this.fresh.set(id, what);
    this.mark();
    if (!leading) return;
    this.tell(id, what);
    if (preferences.repeat) this.repeating ??= setInterval(() => this.again(), REPEAT_MS);
  }

  /** The person is here again, or looks at that conversation. */
  looked(id?: string): void {
    if (id) this.fresh.delete(id);
    else this.fresh.clear();
    if (this.fresh.size === 0 && this.repeating) {
      clearInterval(this.repeating);
      this.repeating = null;
    }
    this.mark();
  }

  tone(): void {
    const { audio } = this;
    if (!audio) return;
    const [from, gain] = [audio.currentTime, audio.createGain()];
    gain.connect(audio.destination);
    for (const [at, pitch] of [[0, 660], [TONE_S, 880]] as const) {
      const voice = audio.createOscillator();
      voice.frequency.value = pitch;
      voice.connect(gain);
      voice.start(from + at);
      voice.stop(from + at + TONE_S);
    }
    gain.gain.setValueAtTime(0.08, from);
    gain.gain.exponentialRampToValueAtTime(0.001, from + 3 * TONE_S);
  }

  private again(): void {
    if (!preferences.repeat || preferences.notifications === 'off') return this.looked();
    const [first] = this.fresh;
    if (first) this.tell(...first);
  }

  private tell(id: string, what: 'text' | 'mention'): void {
    if (preferences.sound) this.tone();
    if (permission() !== 'granted') return;
    // One for each conversation, whatever comes in it.
    const shown = new Notification('Anteroom', { body: t().together.alerts[what], tag: id, icon: ICON, silent: true });
    shown.onclick = () => {
      shown.close();
      focus();
      go(address('all', id));
    };
  }

  private mark(): void {
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const wanted = this.fresh.size ? ICON_NEW : ICON;
    if (icon && icon.getAttribute('href') !== wanted) icon.setAttribute('href', wanted);
  }
}

export const alerts = new Alerts();
