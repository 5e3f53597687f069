/**
 * C's printf for numbers; used by luaconf.js and lstrlib.js. Rounds the exact binary value, and where that lies
 * exactly between two results away from zero, as LuaJIT does and JavaScript (glibc would take the even one).
 */

"use strict";

/** Specs by their text; programs use few, and those over and over. */
const specs = new Map();
const specsKept = 256;

/** `%-08.3f` as data; `precision` is undefined where there is none. Widths have two digits at most (lstrlib.c). */
const parseSpec = (text) => {
  const known = specs.get(text);
  if (known !== undefined) return known;
  const [, flags, width, precision, conversion] = /^%([-+ #0]*)(\d*)(?:\.(\d*))?(.)$/s.exec(text);
  const spec = {
    left: flags.includes("-"),
    plus: flags.includes("+") ? "+" : flags.includes(" ") ? " " : "",
    alternate: flags.includes("#"),
    zeros: flags.includes("0"),
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
    conversion,
  };
  if (specs.size < specsKept) specs.set(text, spec);
  return spec;
};

/** Fills up to the spec's width: spaces on one side, or zeros between sign and digits. */
const pad = (spec, sign, body, zeros) => {
  const missing = spec.width - sign.length - body.length;
  if (missing <= 0) return sign + body;
  if (spec.left) return sign + body + " ".repeat(missing);
  return zeros ? sign + "0".repeat(missing) + body : " ".repeat(missing) + sign + body;
};

const isNegative = (n) => n < 0 || Object.is(n, -0);

/** `1.25e+7` of toExponential with the exponent as C writes it: two digits at least. */
const exponential = (x, precision, alternate) => {
  const [mantissa, exponent] = x.toExponential(precision).split("e");
  const digits = exponent.slice(1).padStart(2, "0");
  return `${mantissa}${alternate && precision === 0 ? "." : ""}e${exponent[0]}${digits}`;
};

/** Number.prototype.toFixed ends at 1e21, where every double is an integer. */
const fixed = (x, precision, alternate) => {
  const point = alternate && precision === 0 ? "." : "";
  if (x < 1e21) return x.toFixed(precision) + point;
  return BigInt(x) + (precision > 0 ? `.${"0".repeat(precision)}` : point);
};

const withoutTrailingZeros = (text) => (text.includes(".") ? text.replace(/\.?0*$/, "") : text);

/** %g: as many significant digits as `precision`, in the shorter of both notations. */
const general = (x, precision, alternate) => {
  const significant = precision === 0 ? 1 : precision;
  const [mantissa, exponentText] = x.toExponential(significant - 1).split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= significant) {
    const [shown, tail] = exponential(x, significant - 1, alternate).split("e");
    return `${alternate ? shown : withoutTrailingZeros(shown)}e${tail}`;
  }
  const digits = mantissa.replace(".", "");
  const placed =
    exponent < 0
      ? `0.${"0".repeat(-exponent - 1)}${digits}`
      : `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
  return alternate ? placed : withoutTrailingZeros(placed);
};

const bitsOf = (x) => new BigUint64Array(new Float64Array([x]).buffer)[0];

/** %a: one hexadecimal digit before the point, 1 except for zero. */
const hexadecimal = (x, precision, alternate) => {
  if (x === 0) return `0x0${precision || alternate ? "." : ""}${"0".repeat(precision ?? 0)}p+0`;
  // Denormals have no leading 1 of their own: scale them up until they do.
  const scale = x < 2 ** -1022 ? 64 : 0;
  const bits = bitsOf(x * 2 ** scale);
  const exponent = Number(bits >> 52n) - 1023 - scale;
  let mantissa = (1n << 52n) | (bits & 0xfffffffffffffn);
  if (precision !== undefined && precision < 13) {
    const dropped = BigInt(4 * (13 - precision));
    mantissa = ((mantissa + (1n << (dropped - 1n))) >> dropped) << dropped;
  }
  const digits = (mantissa & 0xfffffffffffffn).toString(16).padStart(13, "0");
  const fraction =
    precision === undefined ? digits.replace(/0+$/, "") : digits.slice(0, precision).padEnd(precision, "0");
  const point = fraction !== "" || alternate ? "." : "";
  return `0x${mantissa >> 52n}${point}${fraction}p${exponent < 0 ? "" : "+"}${exponent}`;
};

/** %a %e %f %g and their capitals. */
const formatFloat = (spec, n) => {
  const sign = isNegative(n) ? "-" : spec.plus;
  const x = Math.abs(n);
  const lower = spec.conversion.toLowerCase();
  const finite = x < Infinity;
  const precision = spec.precision ?? 6;
  let body;
  if (!finite) body = Number.isNaN(n) ? "nan" : "inf";
  else if (lower === "a") body = hexadecimal(x, spec.precision, spec.alternate);
  else if (lower === "e") body = exponential(x, precision, spec.alternate);
  else if (lower === "f") body = fixed(x, precision, spec.alternate);
  else body = general(x, precision, spec.alternate);
  if (lower === "a" && finite && spec.zeros && !spec.left) {
    body = `0x${body.slice(2).padStart(spec.width - sign.length - 2, "0")}`;
  }
  const shown = sign + (lower === spec.conversion ? body : body.toUpperCase());
  return pad(spec, shown.slice(0, sign.length), shown.slice(sign.length), spec.zeros && finite);
};

const least64 = -(2n ** 63n);

/** C's conversion of a double to int64_t on x86: what does not fit is the least integer. */
const toSigned64 = (n) => (n >= -(2 ** 63) && n < 2 ** 63 ? BigInt(Math.trunc(n)) : least64);

/** LuaJIT's conversion to uint64_t: negative numbers wrap around. */
const toUnsigned64 = (n) => {
  if (n >= 0 && n <= Number.MAX_SAFE_INTEGER) return Math.trunc(n);
  return BigInt.asUintN(64, toSigned64(n >= 2 ** 63 ? n - 2 ** 64 : n));
};

const radix = { o: 8, u: 10, x: 16, X: 16 };

/** %d %i %u %o %x %X; a fraction is cut off. */
const formatInteger = (spec, n) => {
  const base = radix[spec.conversion];
  let sign = "";
  let digits;
  if (base === undefined) {
    const value = Math.abs(n) <= Number.MAX_SAFE_INTEGER ? Math.trunc(n) : toSigned64(n);
    sign = value < 0 ? "-" : spec.plus;
    digits = String(value < 0 ? -value : value).replace("-0", "0");
  } else {
    digits = toUnsigned64(n).toString(base);
  }
  const isZero = digits === "0";
  if (spec.precision !== undefined) {
    digits = spec.precision === 0 && isZero ? "" : digits.padStart(spec.precision, "0");
  }
  if (spec.alternate && base === 8 && !digits.startsWith("0")) digits = `0${digits}`;
  if (spec.alternate && base === 16 && !isZero) sign = "0x";
  const text = pad(spec, sign, digits, spec.zeros && spec.precision === undefined);
  return spec.conversion === "X" ? text.toUpperCase() : text;
};

/** tostring(n): %.14g. */
const numberToText = (n) => {
  const x = Math.abs(n);
  if (x < 1e14 && x >= 1e-4) {
    // The shortest text that means n is also its rounding to 14 digits, if it has no more than that.
    const shortest = String(n);
    if (shortest.length <= (n < 0 ? 15 : 14)) return shortest;
  }
  if (Number.isNaN(n)) return "nan";
  const sign = isNegative(n) ? "-" : "";
  return sign + (x < Infinity ? general(x, 14, false) : "inf");
};

const exactly = parseSpec("%a");

/** %q of a number: a literal that reads back as the same number. */
const quoteNumber = (n) => {
  if (Number.isNaN(n)) return "(0/0)";
  if (n === Infinity) return "1e9999";
  if (n === -Infinity) return "-1e9999";
  return Number.isSafeInteger(n) && !Object.is(n, -0) ? String(n) : formatFloat(exactly, n);
};

module.exports = { formatFloat, formatInteger, numberToText, parseSpec, quoteNumber };
