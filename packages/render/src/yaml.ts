/** What a YAML file of a program holds; `undefined` values are left out. */
export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml | undefined };

/**
 * Values as YAML in block style, as people write it. What any reader could take for something else is quoted: YAML 1.1's `yes` and
 * `on`, and MAC addresses that look like times.
 */
export function toYaml(value: Yaml): string {
  return `${block(value, "").join("\n")}\n`;
}

function block(value: Yaml, indent: string): string[] {
  const short = inline(value);
  if (short !== undefined) return [indent + short];
  if (isList(value))
    // What a list holds begins beside its dash.
    return value.flatMap((item) => {
      const [first = "", ...rest] = block(item, `${indent}  `);
      return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
    });
  return Object.entries(value as Record<string, Yaml | undefined>).flatMap(([key, part]) => {
    if (part === undefined) return [];
    const beside = inline(part);
    return beside === undefined
      ? [`${indent}${scalar(key)}:`, ...block(part, `${indent}  `)]
      : [`${indent}${scalar(key)}: ${beside}`];
  });
}

/** What stands on one line: anything but a list or map that holds something. */
function inline(value: Yaml): string | undefined {
  if (typeof value !== "object" || value === null) return scalar(value);
  if (Object.values(value).some((part) => part !== undefined)) return undefined;
  return isList(value) ? "[]" : "{}";
}

const PLAIN = /^[A-Za-z0-9_./<^][\w ./:;,@%+=()<>^$~*|!?&`'"\\{}[\]#-]*$/;
const OTHERWISE =
  /^(y|n|yes|no|on|off|true|false|null|[-+]?(\d[\d_]*\.?[\d_]*|\.[\d_]*)|[-+]?[\d_.]*e[-+]?\d+|0[xob][\da-f_]+|\d[\d_]*(:[0-5]?\d)+(\.\d*)?|\d{4}-\d\d?-\d\d?.*|[-+]?\.(inf|nan)|<<|=)$/i;

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value);
  const plain = PLAIN.test(value) && !OTHERWISE.test(value) && !/: |:$| #| $|^\.\.\./.test(value);
  return plain ? value : JSON.stringify(value);
}

function isList(value: Yaml): value is readonly Yaml[] {
  return Array.isArray(value);
}
