/** What a name template may contain, in braces. */
export const TEMPLATE_WORDS = ["instance", "project", "server"] as const;
type Word = (typeof TEMPLATE_WORDS)[number];

/**
 * Why a template is not usable, to follow its text in a message; `undefined` when it is.
 *
 * `{instance}` must be there: without it every instance would claim the same name.
 */
export function templateFault(template: string): string | undefined {
  const words = [...template.matchAll(/\{(\w*)\}/g)].map(([, word]) => word ?? "");
  const unknown = words.find((word) => !TEMPLATE_WORDS.includes(word as Word));
  if (unknown !== undefined)
    return `has {${unknown}}; there are ${TEMPLATE_WORDS.map((word) => `{${word}}`).join(", ")}`;
  if (!words.includes("instance")) return "has no {instance}, so that all instances would have one name";
  const rest = template.replaceAll(/\{\w*\}/g, "x");
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(rest)) return "is no host name once the braces are filled";
  return undefined;
}

/** Fills a template: `{instance}.{project}` becomes `c1.web`. */
export function expandTemplate(template: string, values: Readonly<Record<Word, string>>): string {
  return template.replaceAll(/\{(\w*)\}/g, (_, word: Word) => values[word]);
}

/** A relative name whose labels are all letters, digits and hyphens, as host names are (RFC 1123 §2.1). */
export function isHostName(name: string): boolean {
  return name.split(".").every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));
}
