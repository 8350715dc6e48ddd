/** Whether a key's value is a secret that no message may show. */
export function isSecret(key: string): boolean {
  return /(?:password|secret)$/i.test(key);
}

const WRITTEN = /((?:password|secret)["']?\s*:\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}{[#][^\s,}#]*)/gi;

/** A line of a file with the secrets in it covered up, as long as it was. */
export function withoutSecrets(line: string): string {
  return line.replace(WRITTEN, (_, key: string, value: string) => key + "•".repeat(value.length));
}
