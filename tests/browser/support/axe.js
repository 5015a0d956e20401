// axe-core's rules of WCAG 2.2 AA, and its best practices.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const source = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds wrong with the page as it is now: a line each, naming the rule, the element and the reason. */
export async function violations(page) {
  // Through the debugger, where the page's content security policy does not apply.
  await page.evaluate(`window.axe || (() => { ${source} })()`);
  const found = await page.evaluate(async (values) => {
    const { violations: list } = await window.axe.run(document, { runOnly: values, resultTypes: ['violations'] });
    return list.map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`) }));
  }, RULES);
  return found.flatMap(({ id, nodes }) => nodes.map((words) => `${id}: ${words.replace(/\s+/g, ' ')}`));
}

/** Controls that are too small to hit, with their label: under 24 px either way (WCAG 2.5.8); links in a sentence are left out. */
export function smallTargets(page) {
  return page.evaluate(() => [...document.querySelectorAll('a, button, input, select, textarea, summary, [role=option]')]
    .filter((element) => element.checkVisibility() && getComputedStyle(element).display !== 'inline')
    .map((element) => ({ name: element.dataset.testid ?? element.outerHTML.slice(0, 80), box: (element.closest('label') ?? element).getBoundingClientRect() }))
    .filter(({ box }) => box.width > 1 && (box.width < 24 || box.height < 24))
    .map(({ name, box }) => `${name} ${Math.round(box.width)} by ${Math.round(box.height)}`));
}
