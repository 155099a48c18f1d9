/** As RFC 3339 has it, with the day still to be looked up in the calendar; passed on as it is. */
// @ts-nocheck

const RFC_3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** What else of ISO 8601 senders write: RFC 3339's small letters, blank and leap second, a day alone, no seconds, no zone. */
const ISO_8601 =
  /^(?<day>\d{4}-\d\d-\d\d)(?:[Tt ](?<minute>\d\d:\d\d)(?::(?<second>\d\d(?:[.,]\d{1,9})?))?(?: ?(?:[Zz]|(?<hours>[+-]\d\d):?(?<minutes>\d\d)?))?)?$/;

const LENGTH_WITHIN_YEAR_9999 = "2020-01-01T00:00:00.000Z".length;

/**
 * ISO 8601 of a date in the forms that Segment takes: RFC 3339's and near ones (UTC where no zone is given), the
 * milliseconds since 1970, or a `Date`. Nothing where it is no date: what `Date` makes of other texts is a guess.
 */
export function isoDate(value: unknown): string | undefined {
  if (typeof value === "string") return RFC_3339.test(value) && isInCalendar(value) ? value : fromIso8601(value);
  return typeof value === "number" || isDate(value) ? written(new Date(value)) : undefined;
}

export function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === "[object Date]";
}

function fromIso8601(text: string): string | undefined {
  const { day, minute = "00:00", second = "00", hours, minutes = "00" } = ISO_8601.exec(text)?.groups ?? {};
  if (day === undefined || !isInCalendar(day)) return undefined;
  // No clock of a function's language knows a leap second.
  const known = second.replace(",", ".").replace(/^60/, "59");
  return written(new Date(`${day}T${minute}:${known}${hours === undefined ? "Z" : `${hours}:${minutes}`}`));
}

function written(moment: Date): string | undefined {
  if (Number.isNaN(moment.getTime())) return undefined;
  const iso = moment.toISOString();
  return iso.length === LENGTH_WITHIN_YEAR_9999 ? iso : undefined;
}

/** Every month has 28 days; beyond, a day that is none comes back as one of the next month, or not at all. */
function isInCalendar(isoDate: string): boolean {
  const day = Number(isoDate.slice(8, 10));
  return day <= 28 || new Date(isoDate.slice(0, 10)).getUTCDate() === day;
}
