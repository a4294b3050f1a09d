const PLACEHOLDER = /\$\{(RM_[A-Z0-9_]+)\}/g;

/**
 * Fills `${RM_NAME}` in an Asterisk configuration file. Every other `${…}` belongs to Asterisk's dialplan and stays.
 * @param text the file
 * @param values by name, RM_ included
 * @param file its name, for the message
 * @throws Error naming file, line and placeholder where a value is missing, or holds a line break, which would let a
 *   value add configuration of its own
 */
export function fillTemplate(text: string, values: Readonly<Record<string, string>>, file: string): string {
  return text
    .split('\n')
    .map((line, index) =>
      line.replace(PLACEHOLDER, (_, name: string) => {
        const value = values[name];
        if (value === undefined) throw new Error(`${file}:${index + 1}: no value for ${name}`);
        if (/[\r\n]/.test(value)) throw new Error(`${file}:${index + 1}: the value of ${name} has a line break`);
        return value;
      }),
    )
    .join('\n');
}

/** The placeholders that a file uses, each once. */
export function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map((match) => match[1] ?? ''))];
}
