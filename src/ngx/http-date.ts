/** Dates as HTTP and nginx write them, to and from seconds since the epoch. */

const weekDays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function two(value: number): string {
  return String(value).padStart(2, "0");
}

function clock(date: Date): string {
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** `Thu, 18 Nov 2010 11:27:35 GMT` (RFC 9110 IMF-fixdate; ngx_http_time). */
export function httpTime(seconds: number): string {
  const date = new Date(Math.trunc(seconds) * 1000);
  const day = `${two(date.getUTCDate())} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${weekDays[date.getUTCDay()]}, ${day} ${clock(date)} GMT`;
}

/** `Thu, 18-Nov-10 11:27:35 GMT`; years after 2037 get four digits, as in ngx_http_cookie_time. */
export function cookieTime(seconds: number): string {
  const date = new Date(Math.trunc(seconds) * 1000);
  const year = date.getUTCFullYear();
  const shown = year > 2037 ? String(year) : two(year % 100);
  return `${weekDays[date.getUTCDay()]}, ${two(date.getUTCDate())}-${months[date.getUTCMonth()]}-${shown} ${clock(date)} GMT`;
}

const month = `(?<month>${months.join("|")})`;
const time = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
/** RFC 822/1123, RFC 850 and asctime; as in ngx_parse_http_time the week day is not looked at, nor what follows. */
const forms = [
  new RegExp(`^[^, ]*, *(?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time}`),
  new RegExp(`^[^, ]*, *(?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time}`),
  new RegExp(`^[^, ]* +${month} {1,2}(?<day>\\d{1,2}) ${time} (?<year>\\d{4})`),
];

/** Seconds since the epoch of an HTTP date, undefined when it is none. */
export function parseHttpTime(text: string): number | undefined {
  for (const form of forms) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    const number = (name: string) => Number(parts[name]);
    const given = number("year");
    const year = parts.year?.length === 2 ? given + (given < 70 ? 2000 : 1900) : given;
    const monthIndex = months.indexOf(parts.month as string);
    const day = number("day");
    if (number("hour") > 23 || number("minute") > 59 || number("second") > 59) return undefined;
    const date = new Date(0);
    // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
    date.setUTCFullYear(year, monthIndex, day);
    if (date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return undefined;
    date.setUTCHours(number("hour"), number("minute"), number("second"));
    return date.getTime() / 1000;
  }
  return undefined;
}
