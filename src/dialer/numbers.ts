import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js';

/** What the rules say of a number. */
export interface NumberRules {
  /** The number in one form, for comparing: digits with the country's code where that can be told. */
  canonical(number: string): string;
  /** True for a valid number of another country. */
  isInternational(number: string): boolean;
  /** Both at once. */
  read(number: string): { readonly canonical: string; readonly international: boolean };
}

/** Length beyond which nothing is a number: E.164 has 15 digits. */
const LONGEST = 24;

/**
 * The rules of a country by libphonenumber. A number may be written nationally, with `+` or `00` and the country's code,
 * or with the code alone, as the seed's examples are.
 *
 * @param country two capitals (ISO 3166)
 */
export function numberRules(country: string): NumberRules {
  const home: CountryCode | undefined = isSupportedCountry(country) ? country : undefined;
  const parsed = (number: string) => {
    if (number.length > LONGEST) return undefined;
    const abroad = number.startsWith('00') ? `+${number.slice(2)}` : number;
    if (!abroad.startsWith('+')) {
      const national = parsePhoneNumberFromString(abroad, home);
      if (national?.isValid()) return national;
    }
    const full = parsePhoneNumberFromString(abroad.startsWith('+') ? abroad : `+${abroad}`);
    return full?.isValid() ? full : undefined;
  };
  const homeCode = home && parsePhoneNumberFromString('0000000', home)?.countryCallingCode;
  const read: NumberRules['read'] = (number) => {
    const found = parsed(number);
    return {
      canonical: (found?.number ?? number).replace(/^(\+|00)/, ''),
      international: found !== undefined && found.countryCallingCode !== homeCode,
    };
  };
  return {
    canonical: (number) => read(number).canonical,
    isInternational: (number) => read(number).international,
    read,
  };
}
