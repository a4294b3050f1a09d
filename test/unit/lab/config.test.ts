import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ringmasterYaml } from '../../../lab/config.ts';
import { standingPhones } from '../../../lab/labfile.ts';
import { debianMirror, parseDeb822, parseOneLine } from '../../../lab/mirror.ts';
import { labPorts } from '../../../lab/ports.ts';
import { KEY_NAMES, type LabSecrets } from '../../../lab/secrets.ts';
import { customerBehaviour } from '../../../lab/standing.ts';
import { fillTemplate, placeholders } from '../../../lab/template.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const ETC = join(ROOT, 'asterisk-config', 'etc');

const secrets: LabSecrets = {
  ari: 'a',
  ami: 'b',
  phone: 'c',
  carrier: 'd',
  keys: Object.fromEntries(KEY_NAMES.map((name) => [name, `key-${name}`])),
};

/** A placeholder, which this file may not spell out: to the linter it looks like a mistaken template string. */
const hole = (name: string): string => ['$', '{', name, '}'].join('');

describe('configuration templates', () => {
  test('our placeholders are filled and the dialplan keeps its own', () => {
    expect(fillTemplate(`a = ${hole('RM_X')}\nb = ${hole('EXTEN')}`, { RM_X: '1' }, 'f')).toBe(
      `a = 1\nb = ${hole('EXTEN')}`,
    );
  });

  test('a missing value names file, line and placeholder', () => {
    expect(() => fillTemplate(`\nx=${hole('RM_Y')}`, {}, 'ari.conf')).toThrow('ari.conf:2: no value for RM_Y');
  });

  test('a value cannot bring lines of its own', () => {
    expect(() => fillTemplate(`x=${hole('RM_Y')}`, { RM_Y: 'a\n[admin]' }, 'f')).toThrow('line break');
  });

  test('docker compose gives every value that the files ask for', () => {
    const wanted = new Set(readdirSync(ETC).flatMap((file) => placeholders(readFileSync(join(ETC, file), 'utf8'))));
    const compose = composeFile();
    const entrypoint = readFileSync(join(ROOT, 'asterisk-config', 'docker-entrypoint.sh'), 'utf8');
    const given = Object.keys(compose.services['asterisk']?.environment ?? {});
    const missing = [...wanted].filter((name) => !given.includes(name) && !entrypoint.includes(`${name}=`));
    expect(wanted.size).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });
});

/** What docker compose requires of the parts that we use. */
const compose = z.strictObject({
  name: z.string(),
  services: z.record(
    z.string(),
    z
      .strictObject({
        image: z.string().optional(),
        build: z
          .strictObject({ context: z.string(), dockerfile: z.string().optional(), target: z.string().optional() })
          .optional(),
        command: z.array(z.string()).optional(),
        environment: z.record(z.string(), z.string()).optional(),
        ulimits: z.record(z.string(), z.number()).optional(),
        ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+(\/(tcp|udp))?$/)).optional(),
        volumes: z.array(z.string()).optional(),
        healthcheck: z
          .strictObject({ test: z.array(z.string()), interval: z.string(), timeout: z.string(), retries: z.number() })
          .optional(),
        depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).optional(),
        networks: z
          .union([z.array(z.string()), z.record(z.string(), z.strictObject({ ipv4_address: z.string() }))])
          .optional(),
      })
      .refine((service) => (service.image === undefined) !== (service.build === undefined), 'image or build'),
  ),
  networks: z.record(
    z.string(),
    z.strictObject({ ipam: z.strictObject({ config: z.array(z.strictObject({ subnet: z.string() })) }) }),
  ),
  volumes: z.record(z.string(), z.strictObject({})),
});

function composeFile(): z.infer<typeof compose> {
  return compose.parse(parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')));
}

describe('docker compose', () => {
  test('is well formed and publishes on 127.0.0.1 only', () => {
    const { services } = composeFile();
    expect(Object.keys(services).sort()).toEqual(['asterisk', 'phones', 'redis', 'ringmaster']);
    for (const service of Object.values(services)) {
      for (const name of Object.keys(service.depends_on ?? {})) {
        expect(services[name]?.healthcheck, `${name} is waited for`).toBeDefined();
      }
    }
  });

  test('the stages that it builds exist', () => {
    const stages = [...readFileSync(join(ROOT, 'Dockerfile'), 'utf8').matchAll(/^FROM \S+ AS (\S+)$/gm)].map(
      (m) => m[1],
    );
    const wanted = Object.values(composeFile().services).flatMap(({ build }) => build?.target ?? []);
    expect(wanted.filter((target) => !stages.includes(target))).toEqual([]);
  });
});

describe('the lab', () => {
  test('labs a hundred apart share no port', () => {
    const all = [0, 100, 200, 1900].flatMap((offset) => {
      const { rtpStart, rtpEnd, ...ports } = labPorts(offset);
      expect(rtpEnd - rtpStart).toBe(3999);
      return Object.values(ports);
    });
    expect(new Set(all).size).toBe(all.length);
    expect(() => labPorts(1901)).toThrow(RangeError);
    expect(() => labPorts(Number.NaN)).toThrow(RangeError);
  });

  test('its ringmaster.yaml names the two companies that tests keep apart, with keys of their own', () => {
    const settings = parse(ringmasterYaml(labPorts(0), secrets));
    const [main, other] = settings.companies;
    expect(settings.listen).toBe('127.0.0.1:18090');
    expect(main.companyId).not.toBe(other.companyId);
    const keys = settings.companies.flatMap((one: { keys: { key: string }[] }) => one.keys.map(({ key }) => key));
    expect(new Set(keys).size).toBe(KEY_NAMES.length);
    expect(settings.trunks.map(({ id }: { id: string }) => id)).toContain(main.trunk);
  });

  test('a number tells what the customer behind it does', () => {
    expect(customerBehaviour('91114000486')).toMatchObject({ name: 'busy', steps: [{ do: 'refuse', code: 486 }] });
    expect(customerBehaviour('+91114000607').steps.at(-1)).toMatchObject({ do: 'refuse', code: 607 });
    expect(customerBehaviour('91114010480').steps.map((step) => step.do)).toEqual(['ring', 'refuse']);
    expect(customerBehaviour('91114002999').name).toBe('rings-out');
    expect(customerBehaviour('15551234567').name).toBe('answers');
  });

  test('lab.json lists every telephone once, by DN or by number', () => {
    const phones = standingPhones();
    const names = phones.map((phone) => phone.dn ?? phone.number);
    expect(new Set(names).size).toBe(names.length);
    for (const behaviour of ['answers', 'rings-out', 'busy', 'declines', 'not-found', 'not-registered', 'dead']) {
      expect(
        phones.some((phone) => phone.behaviour === behaviour),
        behaviour,
      ).toBe(true);
    }
  });
});

describe('the Debian mirror', () => {
  test('is the archive of this release, in either format, and no other vendor’s', () => {
    const sources = [
      ...parseOneLine(
        '# deb http://no/ bookworm main\ndeb [signed-by=/k] http://vendor.example/apt cloud-sdk-bookworm main\n',
      ),
      ...parseDeb822('Types: deb\nURIs: http://vendor.example/node\nSuites: nodistro\n'),
      ...parseDeb822(
        'Types: deb\n# a comment\nURIs: http://debian.example/security\nSuites: bookworm-security\n\nTypes: deb deb-src\nURIs:\n http://debian.example/debian\nSuites: bookworm bookworm-updates\n',
      ),
    ];
    expect(debianMirror(sources, 'bookworm')).toBe('http://debian.example/debian');
    expect(debianMirror(parseOneLine('deb http://debian.example/debian sid main'), '')).toBe(
      'http://debian.example/debian',
    );
    expect(debianMirror(parseDeb822('Enabled: no\nTypes: deb\nURIs: http://x/\nSuites: sid\n'), 'sid')).toBeUndefined();
  });
});
