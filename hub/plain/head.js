// The top of a conversation: who it is, why it is here, and what can be done. Built once per page and
// updated in place, so that an open select or a focused button survives an event.
import { api, wordsOf } from './api.js';
import { h, setText } from './dom.js';
import { calendarDate, identityWords, label, moment, patientName, phone } from './format.js';
import { icon } from './icons.js';
import { address, avatar, priority, tags } from './queue.js';

/** `actions`: `accept`, `assign(body)`, `snooze`, `close`, `reopen`. `directory()` → `{ staff, teams }`. */
export function createHead({ me, canWrite, mayTake, actions, directory, queue }) {
  let conversation = null;
  /** Somebody chose whom to assign to and hasn't pressed the button yet: an event must not undo that. */
  let picked = false;

  const back = h('a', { class: 'button bare back', 'data-testid': 'back' }, icon('back'), h('span', { class: 'back-word' }, 'Back'));
  const face = h('span', { class: 'face' });
  const title = h('h2', { dir: 'auto', tabindex: '-1', 'data-testid': 'thread-name' });
  const who = h('span', { class: 'who-words', 'data-testid': 'thread-identity' });
  const facts = h('p', { class: 'facts', 'data-testid': 'thread-facts' });
  const why = h('p', { class: 'why', 'data-testid': 'why' });
  const optedOut = h('p', { class: 'banner fail', 'data-testid': 'opted-out', hidden: true }, icon('ban'),
    h('span', null, "This patient texted STOP. They can't be texted until they text START."));

  const action = (testid, name, words, onclick, kind = '') => h('button', { class: `button ${kind}`, type: 'button', onclick, 'data-testid': testid }, icon(name, 14), words);
  const accept = action('accept', 'hand', 'Accept', actions.accept, 'primary');
  const close = action('close', 'archive', 'Close', actions.close);
  const reopen = action('reopen', 'reopen', 'Reopen', actions.reopen);
  const snooze = action('snooze', 'snooze', 'Snooze 1 hour', actions.snooze);
  const select = h('select', { id: 'assign-select', 'data-testid': 'assign-select', onchange: () => { picked = true; syncAssign(); } });
  const assign = h('button', { class: 'button', type: 'submit', 'data-testid': 'assign' }, 'Assign');
  const assignForm = h('form', { class: 'assign', onsubmit: submitAssign }, h('label', { for: 'assign-select' }, 'Assigned to'), select, assign);
  const details = h('button', { class: 'button bare', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'patient-details', onclick: toggleDetails, 'data-testid': 'patient-details-toggle' }, 'Patient details');
  const panel = h('div', { id: 'patient-details', class: 'details', 'data-testid': 'patient-details', hidden: true });

  const group = h('div', { class: 'actions', role: 'group', 'aria-label': 'Actions' }, accept, close, reopen, snooze, assignForm);
  const root = h('header', { class: 'thread-head' },
    h('div', { class: 'who' }, back, face, h('div', { class: 'who-text' }, title, who)),
    h('div', { class: 'facts-line' }, facts, details), panel, why, optedOut, group);

  function update(next) {
    const other = next.id !== conversation?.id;
    const moved = next.assignee?.id !== conversation?.assignee?.id;
    conversation = next;
    if (other) hideDetails();
    if (other || moved) picked = false;
    const { words, verified } = identityWords(next);
    back.href = address(queue());
    setText(title, patientName(next));
    setText(who, words);
    face.replaceChildren(avatar(next, verified, words));
    details.hidden = next.patient?.kind !== 'profile';
    optedOut.hidden = !next.opted_out;

    const writes = canWrite();
    const open = next.state === 'open';
    accept.hidden = !writes || next.state === 'closed' || Boolean(next.assignee);
    close.hidden = !writes || next.state === 'closed';
    reopen.hidden = !writes || open;
    reopen.lastChild.textContent = next.state === 'snoozed' ? 'End snooze' : 'Reopen';
    snooze.hidden = !writes || !open;
    assignForm.hidden = !writes || next.state === 'closed' || !mayTake(next);
    facts.replaceChildren(...factNodes(next));
    if (!picked) fillSelect();
    syncAssign();
  }

  function factNodes(next) {
    const number = next.number ? `texted ${[next.number.label, phone(next.number.address)].filter(Boolean).join(', ')}` : null;
    const snoozed = next.state === 'snoozed' && next.snoozed_until ? `Snoozed until ${moment(next.snoozed_until)}` : null;
    const holder = assignForm.hidden && next.assignee ? `Assigned to ${next.assignee.name}` : null;
    const words = [
      holder, snoozed, next.state === 'closed' && 'Closed', phone(next.peer), number, next.facility?.name, next.team?.name && `Team ${next.team.name}`,
      next.category && label(next.category), ...tags(next),
    ];
    return [priority(next), ...words.filter(Boolean).map((text) => h('span', { class: 'fact', dir: 'auto' }, text))].filter(Boolean);
  }

  function current() {
    return conversation.assignee ? `staff:${conversation.assignee.id}` : 'nobody';
  }

  function fillSelect() {
    const { staff, teams } = directory();
    const mine = me();
    const known = new Map(staff.filter((person) => person.role !== 'auditor').map((person) => [person.id, person.name]));
    if (conversation.assignee) known.set(conversation.assignee.id, conversation.assignee.name);
    known.delete(mine.id);
    const people = [...known].sort((a, b) => a[1].localeCompare(b[1]));
    const option = (value, words) => h('option', { value }, words);
    const optgroup = (words, options) => (options.length ? [h('optgroup', { label: words }, options)] : []);
    // An open list closes when its options are replaced.
    const sign = JSON.stringify([mine.id, people, teams]);
    if (select.dataset.sign !== sign) {
      select.dataset.sign = sign;
      select.replaceChildren(
        option('nobody', 'Nobody (Unassigned)'),
        option(`staff:${mine.id}`, `${mine.name} (you)`),
        ...optgroup('People', people.map(([id, name]) => option(`staff:${id}`, name))),
        ...optgroup('Hand to a team', teams.map((team) => option(`team:${team.id}`, team.name))));
    }
    select.value = current();
  }

  /** A list whose every arrow key assigned somebody would be a trap: the button does it. */
  function syncAssign() {
    assign.disabled = select.value === current();
  }

  function submitAssign(event) {
    event.preventDefault();
    if (assign.disabled) return;
    picked = false;
    const [kind, id] = select.value.split(':');
    actions.assign(kind === 'team' ? { team_id: id, assignee_id: null } : { assignee_id: id ?? null });
  }

  function hideDetails() {
    panel.hidden = true;
    panel.replaceChildren();
    details.setAttribute('aria-expanded', 'false');
  }

  /** Fetched when asked for only: each reading of a patient's record is written to the audit log. */
  async function toggleDetails() {
    if (!panel.hidden) return hideDetails();
    const { id } = conversation;
    details.setAttribute('aria-expanded', 'true');
    panel.hidden = false;
    panel.replaceChildren(h('p', { class: 'quiet' }, 'Loading…'));
    let nodes;
    try {
      nodes = detailNodes(await api.patient(conversation.patient.id));
    } catch (error) {
      nodes = [h('p', { class: 'fail' }, wordsOf(error))];
    }
    if (conversation.id === id && !panel.hidden) panel.replaceChildren(...nodes);
  }

  function detailNodes(patient) {
    const rows = [
      ['Name', [patient.first_name, patient.last_name].filter(Boolean).join(' ')],
      ['Goes by', patient.preferred_name],
      ['Date of birth', calendarDate(patient.date_of_birth)],
      ['Language', patient.language],
      ['Phones', (patient.phones ?? []).map((one) => phone(one.address ?? one.phone ?? one)).join(', ')],
    ];
    return [h('dl', null, rows.filter(([, value]) => value).map(([name, value]) => h('div', null, h('dt', null, name), h('dd', { dir: 'auto' }, value))))];
  }

  return {
    root,
    update,
    /** The latest reason the conversation is where it is. */
    setWhy(text) {
      why.hidden = !text;
      why.replaceChildren(...(text ? [h('span', { class: 'by' }, 'Why here: '), h('span', { dir: 'auto' }, text)] : []));
    },
    /** Not `disabled`, which would take the keyboard's focus away; the thread ignores a second press. */
    setBusy(busy) {
      group.setAttribute('aria-busy', String(busy));
    },
    directoryChanged: () => conversation && !picked && fillSelect(),
    forget() {
      conversation = null;
      picked = false;
      hideDetails();
    },
    focusTitle: () => title.focus(),
  };
}
