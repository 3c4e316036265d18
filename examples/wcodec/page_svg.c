/* The small things a page is made of: text made harmless, numbers, bars and maps. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "page.h"

void page_bytes(page *p, const char *text, size_t size)
{
    (void)cli_output_write(&p->out, text, size);
}

void page_put(page *p, const char *text)
{
    page_bytes(p, text, strlen(text));
}

void page_printf(page *p, const char *format, ...)
{
    char text[1024];
    va_list args;
    int size;
    va_start(args, format);
    size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size > 0) page_bytes(p, text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
}

/* ---- text ---- */

/* Controls and the code points that are no characters would make the page malformed; those that turn the
 * direction of writing would reach beyond the name. */
static int harmless(long point)
{
    if (point < 32 || (point >= 127 && point < 160)) return 0;
    if ((point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069)) return 0;
    if (point == 0x2028 || point == 0x2029 || point == 0xFEFF) return 0;
    return (point & 0xFFFE) != 0xFFFE && (point < 0xFDD0 || point > 0xFDEF);
}

static void put_character(page *p, long point, const char *bytes, size_t size)
{
    switch (point) {
    case '&': page_put(p, "&amp;"); break;
    case '<': page_put(p, "&lt;"); break;
    case '>': page_put(p, "&gt;"); break;
    case '"': page_put(p, "&quot;"); break;
    case '\'': page_put(p, "&#39;"); break;
    default: page_bytes(p, bytes, size); break;
    }
}

static void put_text(page *p, const char *text, size_t size, size_t width, int breaks)
{
    size_t count = 0, place = 0, i, used, from, to;
    for (i = 0; i < size; i += used, count++) (void)cli_utf8(text + i, size - i, &used);
    /* Of a long name the end tells more than the middle. */
    if (width == 0 || width > count) width = count;
    from = width / 3;
    to = count > width ? count - (width - from - 1) : 0;
    for (i = 0; i < size; i += used, place++) {
        long point = cli_utf8(text + i, size - i, &used);
        if (count > width && place >= from && place < to) {
            if (place == from) page_put(p, "\xE2\x80\xA6");
        } else if (harmless(point)) {
            put_character(p, point, text + i, used);
            if (breaks && i + used < size && strchr("./:;,", (int)point) != NULL) page_put(p, "<wbr>");
        } else {
            page_put(p, "\xEF\xBF\xBD");
        }
    }
}

static void put_name(page *p, const wcodec_segment *segment, size_t width, int breaks)
{
    if (segment->name_size != 0) put_text(p, segment->name, segment->name_size, width, breaks);
    else if (segment->size == p->plan->size) page_put(p, "(the whole file)");
    else if (page_is_tensor(segment)) page_put(p, "(no name)");
    else page_put(p, segment->offset == 0 ? "(header)" : "(between tensors)");
}

void page_name(page *p, const wcodec_segment *segment)
{
    put_name(p, segment, 0, 0);
}

void page_label(page *p, const wcodec_segment *segment, size_t width)
{
    page_put(p, "<bdi>");
    put_name(p, segment, width, 1);
    page_put(p, "</bdi>");
}

void page_file_name(page *p, int breaks)
{
    const char *name = strcmp(p->opt->path[0], "-") == 0 ? p->in->name : cli_base_name(p->opt->path[0]);
    put_text(p, name, strlen(name), 0, breaks);
}

const char *page_dtype_name(unsigned dtype)
{
    const char *name = wcodec_dtype_name(dtype);
    return name == NULL ? "?" : dtype == WCODEC_BYTES ? "bytes" : name;
}

/* ---- numbers ---- */

void page_count(page *p, uint64_t value)
{
    char digits[24], text[32];
    int size = snprintf(digits, sizeof digits, "%" PRIu64, value), i;
    size_t at = 0;
    for (i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    page_bytes(p, text, at);
}

void page_size(page *p, uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes / 1024;
    size_t i = 0;
    if (bytes < 1024) {
        page_printf(p, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return;
    }
    for (; value >= 1024 && i < 5; i++) value /= 1024;
    page_printf(p, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, units[i]);
}

void page_number(page *p, double value, int digits)
{
    if (isnan(value)) page_put(p, "-");
    else page_printf(p, "%.*f", digits, value);
}

void page_percent(page *p, double part, double whole)
{
    double x = whole > 0 ? 100 * part / whole : 0;
    page_printf(p, x > 0 && x < 0.05 ? "&lt;&#8239;0.1&#8239;%%" : "%.1f&#8239;%%", x);
}

/* ---- drawings ---- */

void page_svg_begin(page *p, const char *style, unsigned width, unsigned height)
{
    page_printf(p,
                "<svg class=\"%s\" viewBox=\"0 0 %u %u\" preserveAspectRatio=\"none\" role=\"img\"><title>",
                style, width, height);
}

void page_svg_title_end(page *p)
{
    page_put(p, "</title>");
}

void page_svg_end(page *p)
{
    page_put(p, "</svg>");
}

page_part page_part_of(double value, const char *class_name)
{
    page_part part;
    part.value = value;
    part.style = class_name;
    return part;
}

static double thousandths(double value, double full)
{
    double x = full > 0 && value > 0 ? value / full * 1000 : 0;
    return x < 1000 ? x : 1000;
}

void page_bar(page *p, const page_part *part, size_t parts, double frame, double full)
{
    double sum = 0;
    size_t i;
    if (frame > 0)
        page_printf(p, "<rect class=\"frame\" width=\"%.1f\" height=\"10\"/>", thousandths(frame, full));
    for (i = 0; i < parts; i++) {
        double begin = thousandths(sum, full), end;
        if (isnan(part[i].value)) continue;
        sum += part[i].value;
        end = thousandths(sum, full);
        if (end - begin < 0.05) continue;
        page_printf(p, "<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" height=\"10\"/>", part[i].style, begin,
                    end - begin);
    }
}

/* One path, in a drawing of (to - from) / step by 100 units. */
void page_columns(page *p, const uint64_t *count, unsigned from, unsigned to, unsigned step)
{
    double most = 0;
    unsigned i, k;
    for (i = from; i < to; i += step) {
        double sum = 0;
        for (k = i; k < i + step && k < to; k++) sum += (double)count[k];
        if (sum > most) most = sum;
    }
    page_put(p, "<path class=\"column\" d=\"");
    for (i = from; i < to; i += step) {
        double sum = 0, height;
        for (k = i; k < i + step && k < to; k++) sum += (double)count[k];
        if (sum <= 0) continue;
        height = fmax(sum / most * 100, 0.4);      /* what is there is seen */
        page_printf(p, "M%.2f 100v-%.1fh.9v%.1fz", (double)(i - from) / step + 0.05, height, height);
    }
    page_put(p, "\"/>");
}

static int shade(const page_mean *mean, double low, double high)
{
    double x;
    if (mean->n <= 0) return -1;
    x = high > low ? (mean->sum / mean->n - low) / (high - low) * PAGE_SHADES : PAGE_SHADES / 2;
    return x < 0 ? 0 : x >= PAGE_SHADES ? PAGE_SHADES - 1 : (int)x;
}

/* A path for each shade; runs of a row in one piece. */
void page_cells(page *p, const page_mean *cell, unsigned rows, unsigned columns, double low, double high)
{
    int s;
    for (s = 0; s < PAGE_SHADES; s++) {
        unsigned r, c, end, any = 0;
        for (r = 0; r < rows; r++) {
            for (c = 0; c < columns; c = end) {
                end = c + 1;
                if (shade(&cell[r * columns + c], low, high) != s) continue;
                while (end < columns && shade(&cell[r * columns + end], low, high) == s) end++;
                if (!any) page_printf(p, "<path class=\"s%d\" d=\"", s);
                any = 1;
                page_printf(p, "M%u %uh%uv1h-%uz", c, r, end - c, end - c);
            }
        }
        if (any) page_put(p, "\"/>");
    }
}

/* ---- rows of a bar chart: a label, a bar, a number ---- */

void page_row_begin(page *p)
{
    page_put(p, "<div class=\"row\"><div>");
}

void page_row_bar(page *p)
{
    page_put(p, "</div>");
    page_svg_begin(p, "bar", 1000, 10);
}

void page_row_number(page *p, const page_part *part, size_t parts, double frame, double full)
{
    page_svg_title_end(p);
    page_bar(p, part, parts, frame, full);
    page_svg_end(p);
    page_put(p, "<div class=\"num\">");
}

void page_row_end(page *p)
{
    page_put(p, "</div></div>\n");
}

void page_key(page *p, const char *class_name, const char *what)
{
    page_printf(
        p,
        "<span><svg class=\"key\" viewBox=\"0 0 1 1\" aria-hidden=\"true\"><rect class=\"%s\" width=\"1\" "
        "height=\"1\"/></svg>%s</span>",
        class_name, what);
}
