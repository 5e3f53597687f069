/** nginx's own pages and status lines, byte for byte but for the name in the footer. */

/** Phrases of the status line (ngx_http_header_filter_module); other statuses have none. */
const statusPhrases: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Moved Temporarily",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Not Allowed",
  406: "Not Acceptable",
  408: "Request Time-out",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Request Entity Too Large",
  414: "Request-URI Too Large",
  415: "Unsupported Media Type",
  416: "Requested Range Not Satisfiable",
  421: "Misdirected Request",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Temporarily Unavailable",
  504: "Gateway Time-out",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
};

/** Statuses whose page says something else than their status line (ngx_http_special_response). */
const pageTitles: Readonly<Record<number, string>> = {
  302: "Found",
  401: "Authorization Required",
};

/** Statuses without a page of their own: their error page is empty, as in nginx. */
const withoutPage = new Set([200, 201, 202, 204, 206, 304]);

/** What stands behind the status in the status line; empty for statuses that nginx has no words for. */
export function statusPhrase(status: number): string {
  return statusPhrases[status] ?? "";
}

const pages = new Map<number, string>();

/** The HTML page for a status, ASCII only; empty where nginx has none. */
export function errorPage(status: number): string {
  let page = pages.get(status);
  if (page === undefined) {
    page = build(status);
    if (page !== "") pages.set(status, page);
  }
  return page;
}

function build(status: number): string {
  const title = pageTitles[status] ?? statusPhrases[status];
  if (title === undefined || withoutPage.has(status)) return "";
  return [
    "<html>",
    `<head><title>${status} ${title}</title></head>`,
    "<body>",
    `<center><h1>${status} ${title}</h1></center>`,
    "<hr><center>relua</center>",
    "</body>",
    "</html>",
    "",
  ].join("\r\n");
}

/** Errors after which nginx closes the connection, whatever the client asked for. */
const closing = new Set([400, 413, 414, 500, 501]);

export function closesConnection(status: number): boolean {
  return closing.has(status);
}
