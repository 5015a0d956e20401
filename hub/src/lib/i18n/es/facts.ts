// The names of what a step of a timeline knows beside its sentence.
export const FACTS: Record<string, string> = {
  Policy: 'Regla', 'Policy version': 'Versión de la regla', Reason: 'Motivo', Hook: 'Punto de decisión', Category: 'Categoría', Priority: 'Prioridad', Team: 'Equipo', Facility: 'Sede',
  Number: 'Número', Keyword: 'Palabra clave', Source: 'Origen', Question: 'Pregunta', Outcome: 'Resultado', Until: 'Hasta', State: 'Estado', Note: 'Nota', How: 'Cómo', Channel: 'Medio',
  Fault: 'Fallo', Message: 'Mensaje', Kept: 'Se conserva', Agreed: 'Coincide', Because: 'Porque', 'Error code': 'Código del error', 'Error text': 'Error', Scope: 'Alcance', Body: 'Texto',
  'Send at': 'Se envía', Found: 'Encontrado', Shadow: 'En sombra', Attempts: 'Intentos', Tags: 'Etiquetas', 'Tags added': 'Etiquetas agregadas', 'Tags removed': 'Etiquetas quitadas',
  'Category from': 'Categoría antes', 'Category to': 'Categoría ahora', 'Priority from': 'Prioridad antes', 'Priority to': 'Prioridad ahora', 'Asked at': 'Pedido',
  'Why policy': 'Regla', 'Why policy version': 'Versión de la regla', 'Why reason': 'Motivo', 'Why hook': 'Punto de decisión', 'Why keyword': 'Palabra clave',
};
