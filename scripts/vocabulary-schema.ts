import { VOCABULARY, type WordList } from '../src/cti/vocabulary.ts';

/** The vocabulary as JSON Schema (2020-12): a definition a list, a `const` with its meaning a word. */
export function vocabularyJsonSchema(): object {
  const lists: Record<string, WordList> = VOCABULARY;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Ringmaster’s vocabulary',
    description: 'Statuses, events and codes, with the wording of the documents that they come from.',
    $defs: Object.fromEntries(
      Object.entries(lists).map(([key, { title, description, words }]) => [
        key,
        {
          title,
          description,
          oneOf: words.map(({ value, name, meaning }) => ({
            const: value,
            ...(name !== undefined && { title: name }),
            description: meaning,
          })),
        },
      ]),
    ),
  };
}
