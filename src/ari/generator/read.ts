import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One property of a model, as Asterisk's rest-api JSON (Swagger 1.1) writes it. */
export interface SwaggerProperty {
  type: string;
  required?: boolean;
  allowableValues?: { valueType: string; values?: string[] };
}

/** One model of Asterisk's rest-api JSON. */
export interface SwaggerModel {
  id: string;
  subTypes?: string[];
  discriminator?: string;
  properties: Record<string, SwaggerProperty>;
}

/** All models of a rest-api folder by name, in the order of file name, then of the file. */
export type Models = Map<string, SwaggerModel>;

/**
 * Reads every `*.json` of a rest-api folder.
 * @param folder Asterisk's `rest-api` folder (Debian: usr/share/asterisk/rest-api)
 * @throws Error when the folder holds no model, or two files disagree about one
 */
export function readModels(folder: string): Models {
  const models: Models = new Map();
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.json') && file !== 'resources.json')
    .sort();
  for (const file of files) {
    const content = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { models?: Record<string, SwaggerModel> };
    for (const [name, model] of Object.entries(content.models ?? {})) {
      if (models.has(name)) throw new Error(`model ${name} is declared twice, the second time in ${file}`);
      models.set(name, model);
    }
  }
  if (models.size === 0) throw new Error(`no rest-api model found in ${folder}`);
  return models;
}

/** Names of the models below `root` in the tree of subTypes, without `root`; direct children first. */
export function descendants(models: Models, root: string): string[] {
  const found: string[] = [];
  for (const name of models.get(root)?.subTypes ?? []) {
    found.push(name, ...descendants(models, name));
  }
  return found;
}
