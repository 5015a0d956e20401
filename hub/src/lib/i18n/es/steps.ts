// The steps of a timeline in Spanish: core/server/src/hub/timeline.rs says them in English.
import type { TimelineEntry } from '../../../generated';
import { es } from '../es';

type Data = Record<string, unknown>;

const dataOf = (value: unknown): Data => (typeof value === 'object' && value !== null ? (value as Data) : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
const GONE = 'alguien que ya no está';

const PARTS: Record<string, string> = { team: 'el equipo', facility: 'la sede', category: 'la categoría', priority: 'la prioridad', tags: 'las etiquetas' };
const STATES: Record<string, string> = {
  queued: 'espera para enviarse', sending: 'se está enviando', sent: 'se envió', delivered: 'se entregó', failed: 'no se entregó', blocked: 'no se envió',
  unknown: 'quizá no se envió', received: 'se recibió', dead: 'se apartó', waiting: 'viene en camino', ready: 'está aquí', refused: 'no se aceptó', expired: 'ya no está',
};
const HOOKS: Record<string, string> = { identity: 'quién escribe', routing: 'adónde va', replies: 'respuestas automáticas', shortcuts: 'respuestas guardadas' };
const OUTCOMES: Record<string, string> = {
  several: 'Las respuestas coinciden con varios pacientes; verifique, por favor',
  locked: 'Demasiados intentos: las respuestas no se buscaron; verifique, por favor',
  another: 'Las respuestas coinciden con otro paciente que antes; verifique, por favor',
};

const priority = (word: string): string => (es.row.priority as Record<string, string>)[word]?.toLowerCase() ?? word;
const fields = (names: string[]): string => names.map((name) => es.patient.fields[name]?.toLowerCase() ?? name).join(', ');
const and = (parts: string[]): string => parts.join(' y ');
const why = (reason: string): string => (reason ? `: ${reason}` : '');

function routed(data: Data, policy: string): string {
  const parts = [
    text(data.team) && `al equipo ${text(data.team)}`, text(data.facility) && `a la sede ${text(data.facility)}`, text(data.category) && `categoría ${text(data.category)}`,
    text(data.priority) && `prioridad ${priority(text(data.priority))}`,
  ].filter(Boolean);
  const kept = list(data.kept).map((part) => PARTS[part] ?? part);
  return `${parts.length ? `Enviada ${parts.join(', ')}` : 'Se quedó donde estaba'} por ${policy}${kept.length ? ` (puesto por el personal: ${kept.join(', ')})` : ''}: ${text(data.reason)}`;
}

function assigned(data: Data, who: string, name: (id: unknown) => string | null): string {
  const parts: string[] = [];
  if (data.assignee_id !== data.from) parts.push(text(data.assignee_id) ? `la asignó a ${name(data.assignee_id) ?? GONE}` : 'la devolvió a Sin asignar');
  if (data.team_id !== data.from_team) parts.push(name(data.team_id) ? `la pasó a ${name(data.team_id)}` : 'la quitó de su equipo');
  const because = data.because === 'left' && text(data.from) ? `: ${name(data.from) ?? GONE} ya no atiende conversaciones` : '';
  return `${who} ${and(parts)}${because}`;
}

function labelled(data: Data): string {
  const [category, tags] = [dataOf(data.category), dataOf(data.tags)];
  const to = text(dataOf(data.priority).to);
  const [added, removed] = [list(tags.added), list(tags.removed)];
  return and([
    to && `puso la prioridad ${priority(to)}`,
    text(category.to) ? `puso la categoría ${text(category.to)}` : text(category.from) && `la sacó de la categoría ${text(category.from)}`,
    added.length ? `la etiquetó ${added.join(', ')}` : '',
    removed.length ? `le quitó la etiqueta ${removed.join(', ')}` : '',
  ].filter(Boolean));
}

function reopened(data: Data, name: (id: unknown) => string | null): string {
  if (text(data.assignee_id)) return `Un mensaje nuevo la reabrió, para ${name(data.assignee_id) ?? GONE}`;
  if (text(data.left)) return `Un mensaje nuevo la reabrió; ${name(data.left) ?? GONE} ya no trabaja aquí, así que está en Sin asignar`;
  return 'Un mensaje nuevo la reabrió';
}

function automatic(data: Data): string {
  const cause = dataOf(data.why);
  if (text(cause.keyword)) return `Se contestó ${text(cause.keyword).toUpperCase()} automáticamente`;
  if (cause.hook === 'replies') return `Respuesta automática de la regla «${text(cause.policy)}»: ${text(cause.reason)}`;
  return `Mensaje automático de la regla «${text(cause.policy)}»`;
}

/** What the step says; null where this version doesn't know its kind. */
export function step(entry: TimelineEntry): string | null {
  const data = dataOf(entry.data);
  const who = entry.actor_name ?? 'Anteroom';
  const name = (id: unknown): string | null => (typeof id === 'string' ? (entry.names[id] ?? null) : null);
  const policy = `la regla «${text(data.policy)}» ${text(data.policy_version)}`.trimEnd();
  const [by, reason, state, until, sendAt] = [text(data.by), text(data.reason), text(data.state), text(data.until), text(data.send_at)];
  const staff = entry.actor === 'staff';
  const scheduled = typeof data.scheduled_id === 'string';
  switch (entry.kind) {
    case 'patient.merged': return `${who} unió dos expedientes de este paciente${why(reason)}`;
    case 'patient.unmerged': return `${who} separó dos expedientes que se habían unido${why(reason)}`;
    case 'patient.deleted': return `${who} eliminó al paciente; en su lugar queda un nombre inventado`;
    case 'conversation.opened': return `Primer mensaje a ${text(data.number)}`;
    case 'conversation.routed': return routed(data, policy);
    case 'conversation.accepted': return by === 'reply' ? `${who} contestó y ahora la tiene` : `${who} la aceptó`;
    case 'conversation.assigned': return assigned(data, who, name);
    case 'conversation.closed': return text(data.returns_to) ? `${who} la cerró; un mensaje nuevo vuelve a ${name(data.returns_to) ?? GONE}` : `${who} la cerró`;
    case 'conversation.tagged': return `${who} ${labelled(data)}`;
    case 'conversation.reopened': return by === 'text' ? reopened(data, name) : by === 'snooze' ? 'Volvió: ya no está pospuesta' : `${who} la reabrió`;
    case 'conversation.snoozed': return `${who} la pospuso hasta ${until}`;
    case 'message.received':
      if (data.found === 'list') return 'El paciente escribió; la operadora no avisó, se encontró en su lista';
      if (data.found === 'list_wordless') return 'El paciente escribió; la operadora no avisó, y su lista no guarda el texto: pregúntele qué era';
      return 'El paciente escribió';
    case 'message.queued':
      if (staff) return scheduled ? `Se envió a su hora un mensaje que había escrito ${who}` : `${who} contestó`;
      return scheduled ? 'Terminaron las horas de silencio: se envió una respuesta automática' : automatic(data);
    case 'message.scheduled': return staff ? `${who} escribió un mensaje para enviarlo ${sendAt}` : `Una respuesta automática espera el fin de las horas de silencio, ${sendAt}`;
    case 'message.rescheduled': return `${who} cambió un mensaje que se enviará ${sendAt}`;
    case 'message.unscheduled': return by === 'reply' ? 'Una respuesta automática que esperaba ya no se envía' : `${who} retiró un mensaje que se iba a enviar más tarde`;
    case 'message.state': return `Un mensaje ${STATES[state] ?? state}${why(text(data.error_text))}`;
    case 'media.state': return state === 'ready' ? 'Llegó un archivo de un mensaje' : `Un archivo de un mensaje ${STATES[state] ?? state}${why(text(data.text))}`;
    case 'note.added': return `${who} agregó una nota`;
    case 'identity.linked': return 'El número de teléfono es de un paciente; no verificado';
    case 'identity.asked': return `Se preguntó quién escribe (${es.patient.fields[text(data.question)]?.toLowerCase() ?? text(data.question)})`;
    case 'identity.matched': return `Verificado como paciente: coinciden ${fields(list(data.agreed))}`;
    case 'identity.unmatched': return OUTCOMES[text(data.outcome)] ?? 'Las respuestas no coinciden con ningún paciente; verifique, por favor';
    case 'identity.expired': return 'Hace mucho que se verificó: se pregunta de nuevo';
    case 'identity.timed_out': return 'Nadie contestó la pregunta de quién escribe';
    case 'identity.locked': return `No se buscan más intentos hasta ${until} (${reason})`;
    case 'identity.unlocked': return `${who} permite que se busquen intentos de nuevo`;
    case 'identity.verified': return `${who} verificó al paciente`;
    case 'identity.created': return `${who} agregó al paciente al directorio`;
    case 'identity.repointed': return `${who} dice que es otro paciente`;
    case 'identity.split': return `${who} dice que no es este paciente`;
    case 'identity.gave_up': return `Se dejó de preguntar quién escribe (${reason})`;
    case 'policy.fault': return `Falló ${policy} en ${HOOKS[text(data.hook)] ?? text(data.hook)} (${text(data.fault)}): ${text(data.message)}`;
    case 'policy.skipped': return 'Las reglas se omitieron después de varios fallos';
    case 'replies.loop': return 'Se detuvieron las respuestas automáticas: parece que contesta otra máquina';
    case 'replies.quiet': return `Horas de silencio hasta ${until}: sin respuesta automática`;
    case 'opt_out.recorded':
      if (data.source === 'staff') return `${who} anotó que el paciente no desea mensajes`;
      return data.source === 'carrier' ? 'La operadora dice que el paciente no desea mensajes' : 'El paciente pidió no recibir mensajes';
    case 'opt_out.dismissed': return `${who} dice que el paciente no pidió dejar de recibir mensajes`;
    case 'opt_out.cleared': return 'El paciente desea mensajes de nuevo';
    case 'opt_out.suggested': return 'Quizá el paciente no desee más mensajes: lea este con cuidado';
    default: return null;
  }
}
