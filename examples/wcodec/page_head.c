/* The head of the page of analyze: its style, its script, and what it may do. */
#include <string.h>

#include "page.h"

/* In pieces, for C99 promises no longer strings. */
static const char *const style[] = {
    ":root{color-scheme:light dark;--bg:#fff;--ink:#1b1f24;--soft:#58626d;--line:#d8dee4;--frame:#e4e9ee;"
    "--coded:#2b6cb0;--exp:#c2571a;--man:#8594a3;--low:#b3bec9;--peer:#8594a3}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:1240px;padding:1.5rem clamp(1rem,3vw,2.5rem) 4rem;background:var(--bg);"
    "color:var(--ink);font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0 .3rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.2rem;margin:2.8rem 0 .4rem;padding-top:.9rem;border-top:1px solid var(--line)}\n"
    "h3{font-size:1rem;margin:1.6rem 0 .3rem}\n"
    "p{max-width:46rem;margin:.4rem 0 .8rem}\n"
    ".soft,figcaption span{color:var(--soft)}\n"
    ".kind{margin:0;color:var(--soft)}\n"
    ".facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem 1.6rem;"
    "margin:1.4rem 0}\n"
    ".facts div{border-top:3px solid var(--line);padding-top:.4rem}\n"
    ".facts div.main{border-color:var(--coded)}\n"
    ".facts dt{color:var(--soft);font-size:.85rem}\n"
    ".facts dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}\n"
    ".facts dd small{display:block;font-size:.8rem;color:var(--soft)}\n"
    ".rows{margin:.6rem 0 1.2rem}\n"
    ".row{display:grid;grid-template-columns:minmax(9rem,17rem) 1fr minmax(8rem,13rem);gap:0 1rem;"
    "align-items:center;padding:.22rem 0}\n"
    ".row>div{overflow-wrap:anywhere;line-height:1.3}\n"
    ".row small{display:block;color:var(--soft)}\n"
    ".tensors .row{grid-template-columns:minmax(9rem,23rem) 1fr minmax(8rem,11rem)}"
    ".tensors bdi{font-size:.85rem}\n"
    ".row .num{font-variant-numeric:tabular-nums;font-size:.9rem;overflow-wrap:normal}\n"
    ".row .num span{color:var(--soft)}\n"
    "svg{display:block;width:100%;overflow:hidden}\n"
    ".bar{height:14px}.mix{height:22px}\n"
    ".frame{fill:var(--frame)}.coded{fill:var(--coded)}.exp{fill:var(--exp)}.man{fill:var(--man)}"
    ".low{fill:var(--low)}.peer{fill:var(--peer)}.column{fill:var(--exp)}.values .column{fill:var(--man)}\n"
    ".key{display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 0;vertical-align:-.05em}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.85rem;color:var(--soft);margin:.3rem "
    "0}\n"
    "figure{margin:0}figcaption{font-size:.9rem;line-height:1.35;margin-bottom:.4rem;overflow-wrap:anywhere}"
    "\n"
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1.6rem 2rem;"
    "margin:1rem 0}.grid figure{display:flex;flex-direction:column}.grid figcaption{flex:1}\n",
    ".histogram{height:110px;border-bottom:1px solid var(--soft)}\n"
    ".axis{position:relative;height:1.5rem;font-size:.8rem;color:var(--soft)}\n"
    ".axis span{position:absolute;transform:translateX(-50%);white-space:nowrap;padding-top:.35rem}\n"
    ".axis span::before{content:\"\";position:absolute;top:0;left:50%;height:.3rem;"
    "border-left:1px solid var(--soft)}\n"
    ".unit{font-size:.8rem;color:var(--soft);text-align:center;margin:0 auto}\n"
    ".map{display:grid;grid-template-columns:14px 1fr;grid-template-rows:14px auto;gap:4px;max-width:28rem}\n"
    ".map .cells{grid-column:2;aspect-ratio:1}.map .down{grid-column:1;height:0;min-height:100%}"
    ".map .across{grid-column:2;height:14px}\n"
    ".cells,.down,.across,.ramp{background:var(--bg);outline:1px solid "
    "var(--line);shape-rendering:crispEdges}\n"
    ".scale{display:flex;gap:.6rem;align-items:center;font-size:.8rem;color:var(--soft);max-width:28rem;"
    "margin-top:.5rem;padding-left:18px}.scale svg{flex:1;height:10px}\n"
    ".scroll{overflow-x:auto;margin:.6rem 0}\n"
    "table{border-collapse:collapse;font-size:.8rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.22rem .42rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}\n"
    "th{font-weight:600;vertical-align:bottom}th.group{text-align:center;color:var(--soft);font-weight:400}\n"
    ".text th:first-child,.text td:first-child,.words td:last-child,.words th:last-child{text-align:left}\n"
    "#tensors td:nth-child(-n+3),#tensors thead tr:last-child th:nth-child(-n+3){text-align:left}\n"
    "#tensors td:first-child{white-space:normal;overflow-wrap:anywhere;min-width:13.5rem;max-width:20rem}\n"
    "#tensors{font-size:.74rem}#tensors :is(th,td){padding:.2rem .3rem}\n"
    "tbody tr:hover{background:color-mix(in srgb,var(--frame) 45%,transparent)}\n"
    "th "
    "button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;text-align:inherit}"
    "\n"
    "th button:hover{text-decoration:underline}th[aria-sort] button{text-decoration:underline}\n"
    "th[aria-sort=descending] button::after{content:\" \\2193\"}"
    "th[aria-sort=ascending] button::after{content:\" \\2191\"}\n"
    "footer{margin-top:3rem;font-size:.85rem}\n"
    "@media(max-width:640px){.row,.tensors .row{grid-template-columns:1fr auto;padding:.4rem 0}.row "
    "svg{grid-column:1/-1;"
    "grid-row:2;margin-top:.2rem}.row .num{text-align:right;white-space:nowrap}}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--bg:#14171b;--ink:#e4e8ec;--soft:#9aa6b2;"
    "--line:#30373f;--frame:#2b323a;--coded:#5a9be2;--exp:#e08a49;--man:#7f8f9f;--low:#566370;--peer:#7f8f9f}"
    "}\n"
    "@media print{html{font-size:11.5px}body{max-width:none;padding:0;font-size:1rem}"
    "h2,h3,figcaption{break-after:avoid}"
    "figure,.row,tr{break-inside:avoid}.scroll{overflow:visible}"
    "#tensors{font-size:.56rem}#tensors :is(th,td){padding:.1rem .2rem}"
    "#tensors td:first-child{min-width:9rem}}\n"
};

/* Heads of the table become buttons that sort; without this, the rows stay as they are, by size. */
static const char script[] =
    "for (const table of document.querySelectorAll('table.sort')) {\n"
    "  const body = table.tBodies[0], heads = table.tHead.rows[table.tHead.rows.length - 1].cells;\n"
    "  const value = (row, i) => {\n"
    "    const text = row.cells[i].textContent, x = parseFloat(text.replace(/[,~]/g, ''));\n"
    "    return i > 2 ? (isNaN(x) ? -1 : x) : text;\n"
    "  };\n"
    "  [...heads].forEach((head, i) => {\n"
    "    const button = document.createElement('button');\n"
    "    button.append(...head.childNodes);\n"
    "    head.append(button);\n"
    "    button.onclick = () => {\n"
    "      const down = head.getAttribute('aria-sort') === (i > 2 ? 'descending' : 'ascending') ? i <= 2 : i "
    "> 2;\n"
    "      const keys = [...body.rows].map(row => [value(row, i), row]);\n"
    "      keys.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0) * (down ? -1 : 1));\n"
    "      for (const other of heads) other.removeAttribute('aria-sort');\n"
    "      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');\n"
    "      body.append(...keys.map(key => key[1]));\n"
    "    };\n"
    "  });\n"
    "}\n";

static void base64(const unsigned char *bytes, size_t size, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i, k;
    for (i = 0; i < size; i += 3) {
        unsigned long x = 0;
        for (k = 0; k < 3; k++) x = x << 8 | (i + k < size ? bytes[i + k] : 0u);
        for (k = 0; k < 4; k++) *text++ = i + k <= size ? digits[x >> (18 - 6 * k) & 63] : '=';
    }
    *text = 0;
}

/* Even if a name could get out of its place, a browser would run nothing but the one script, and fetch
 * nothing. */
static void write_policy(page *p)
{
    wcodec_sha256 sha;
    unsigned char digest[32];
    char text[48];
    wcodec_sha256_init(&sha);
    wcodec_sha256_update(&sha, script, sizeof script - 1);
    wcodec_sha256_final(&sha, digest);
    base64(digest, sizeof digest, text);
    page_printf(p, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "style-src 'unsafe-inline'; script-src 'sha256-%s'\">\n", text);
}

static void write_shades(page *p, const unsigned char *from, const unsigned char *to)
{
    int i;
    for (i = 0; i < PAGE_SHADES; i++) {
        double x = (double)i / (PAGE_SHADES - 1);
        page_printf(p, ".s%d{fill:#%02x%02x%02x}", i, (unsigned)(from[0] + x * (to[0] - from[0])),
                    (unsigned)(from[1] + x * (to[1] - from[1])), (unsigned)(from[2] + x * (to[2] - from[2])));
    }
}

void page_write_head(page *p)
{
    static const unsigned char light[2][3] = { { 232, 241, 250 }, { 9, 40, 78 } };
    static const unsigned char dark[2][3] = { { 24, 38, 54 }, { 205, 228, 252 } };
    size_t i;
    page_put(p, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    write_policy(p);
    page_put(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"generator\" content=\"wcodec " WCODEC_VERSION "\">\n<title>");
    page_file_name(p, 0);
    page_put(p, " - wcodec analyze</title>\n<style>\n");
    for (i = 0; i < sizeof style / sizeof style[0]; i++) page_put(p, style[i]);
    write_shades(p, light[0], light[1]);
    page_put(p, "\n@media screen and (prefers-color-scheme:dark){");
    write_shades(p, dark[0], dark[1]);
    page_put(p, "}\n</style>\n</head>\n<body>\n");
}

void page_write_script(page *p)
{
    page_put(p, "<script>");
    page_put(p, script);
    page_put(p, "</script>\n");
}
