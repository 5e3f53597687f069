/** The parts of C's struct tm and strftime that JavaScript's Date does not have; used by loslib.js. */

"use strict";

/** A date whose local time is UTC. */
class UtcDate extends Date {
  getSeconds() {
    return this.getUTCSeconds();
  }
  getMinutes() {
    return this.getUTCMinutes();
  }
  getHours() {
    return this.getUTCHours();
  }
  getDate() {
    return this.getUTCDate();
  }
  getMonth() {
    return this.getUTCMonth();
  }
  getFullYear() {
    return this.getUTCFullYear();
  }
  getDay() {
    return this.getUTCDay();
  }
  getTimezoneOffset() {
    return 0;
  }
}

const dayMs = 86_400_000;

/** Midnight of a calendar day as milliseconds in UTC; years 0 to 99 are what they say. */
const midnight = (year, month, day) => new Date(0).setUTCFullYear(year, month, day);

/** Days since January 1, as tm_yday. */
const dayOfYear = (date) => {
  const year = date.getFullYear();
  return (midnight(year, date.getMonth(), date.getDate()) - midnight(year, 0, 1)) / dayMs;
};

/** Week and year of ISO 8601: the week belongs to the year that its Thursday is in. */
const isoWeek = (date) => {
  const mondayBased = (date.getDay() + 6) % 7;
  const thursday = new Date(midnight(date.getFullYear(), date.getMonth(), date.getDate() - mondayBased + 3));
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday - midnight(year, 0, 1)) / dayMs / 7) + 1 };
};

/** tm_isdst: whether the clock is ahead of the year's standard time. */
const isSummerTime = (date) => {
  if (date instanceof UtcDate) return false;
  const year = date.getFullYear();
  const winter = new Date(year, 0, 1).getTimezoneOffset();
  const summer = new Date(year, 6, 1).getTimezoneOffset();
  return date.getTimezoneOffset() < Math.max(winter, summer);
};

/** Short name of the zone, as %Z; `GMT` for UTC dates, as glibc says. */
const zoneName = (date) => {
  if (date instanceof UtcDate) return "GMT";
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
};

module.exports = { UtcDate, dayOfYear, isSummerTime, isoWeek, zoneName };
