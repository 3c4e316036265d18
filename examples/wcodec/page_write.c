/* The page of analyze, from its first line to its last.  Text and tables are HTML, so that they wrap on a
 * narrow screen; only bars, columns and cells are drawings, which stretch. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

/* ---- the top ---- */

static void fact_begin(page *p, const char *what, int is_main)
{
    page_printf(p, "<div%s><dt>%s</dt><dd>", is_main ? " class=\"main\"" : "", what);
}

static void fact_end(page *p)
{
    page_put(p, "</dd></div>\n");
}

static void write_facts(page *p)
{
    page_put(p, "<dl class=\"facts\">\n");
    fact_begin(p, "original", 0);
    page_size(p, p->plan->size);
    page_put(p, "<small>");
    page_count(p, p->plan->size);
    page_put(p, " bytes</small>");
    fact_end(p);
    fact_begin(p, "container", 1);
    page_size(p, p->container_size);
    page_put(p, "<small>");
    page_count(p, p->container_size);
    page_put(p, " bytes</small>");
    fact_end(p);
    fact_begin(p, "ratio", 1);
    page_number(p, cli_ratio(p->container_size, p->plan->size), 4);
    page_put(p, "<small>container / original</small>");
    fact_end(p);
    fact_begin(p, "profile", 0);
    page_printf(p, "%s<small>coder auto</small>", cli_profile_names[p->opt->profile]);
    fact_end(p);
    fact_begin(p, "tensors", 0);
    page_count(p, p->tensors);
    page_printf(p, "<small>%s file</small>", p->plan->format);
    fact_end(p);
    page_put(p, "</dl>\n");
}

static void write_dtypes(page *p)
{
    static const char *const styles[] = { "coded", "exp", "man", "low", "frame" };
    page_part part[PAGE_DTYPES];
    unsigned i;
    if (p->dtypes == 0) {
        page_put(p, "<p>The file is empty: there is nothing to measure.</p>\n");
        return;
    }
    for (i = 0; i < p->dtypes; i++) {
        part[i].value = (double)p->dtype[p->dtype_order[i]].bytes;
        part[i].style = styles[i < 4 ? i : 4];
    }
    page_put(p, "<h3>What the bytes are</h3>\n");
    page_svg_begin(p, "mix", 1000, 10);
    page_put(p, "Share of the bytes by dtype: ");
    for (i = 0; i < p->dtypes; i++) {
        page_printf(p, "%s%s ", i > 0 ? ", " : "", page_dtype_name(p->dtype_order[i]));
        page_percent(p, part[i].value, (double)p->plan->size);
    }
    page_svg_title_end(p);
    page_bar(p, part, p->dtypes, 0, (double)p->plan->size);
    page_svg_end(p);
    page_put(p, "<div class=\"scroll\"><table class=\"text\">\n<thead><tr><th>dtype</th><th>pieces</th>"
                "<th>bytes</th><th>share</th><th>coded</th><th>ratio</th></tr></thead>\n<tbody>\n");
    for (i = 0; i < p->dtypes; i++) {
        const page_dtype *d = &p->dtype[p->dtype_order[i]];
        page_put(p, "<tr><td>");
        page_key(p, part[i].style, page_dtype_name(p->dtype_order[i]));
        page_put(p, "</td><td>");
        page_count(p, d->segments);
        page_put(p, "</td><td>");
        page_count(p, d->bytes);
        page_put(p, "</td><td>");
        page_percent(p, (double)d->bytes, (double)p->plan->size);
        page_put(p, "</td><td>");
        page_count(p, d->coded);
        page_put(p, "</td><td>");
        page_number(p, cli_ratio(d->coded, d->bytes), 4);
        page_put(p, "</td></tr>\n");
    }
    page_put(
        p,
        "</tbody></table></div>\n<p class=\"soft\">\"bytes\" is what belongs to no tensor of a known dtype: "
        "headers, gaps, and whole files whose format is not known.</p>\n");
}

/* ---- why the bits are split ---- */

/* Means over the segments of a dtype. */
typedef struct means {
    double bits;            /* of a unit, as it is */
    double bytes;           /* a unit, all bytes alike; */
    double conditional;     /* given the byte before; */
    double high, low;       /* the highest and lowest byte */
    double fields, rest;    /* all planes, all but the first */
    double exponent, exponent_step, high_step;
    double coded;
    double plane[WCODEC_MAX_PLANES];
} means;

static means find_means(const page_dtype *d)
{
    const double n = (double)d->units, unit = d->l.unit;
    means m;
    unsigned k;
    m.bits = 8 * unit;
    m.bytes = d->sum.global / (double)d->bytes * unit;
    m.conditional = d->sum.conditional / (double)d->bytes * unit;
    m.high = d->sum.high / n;
    m.low = d->sum.low / n;
    m.exponent = d->sum.exponent / n;
    m.exponent_step = d->sum.residual_exponent / n;
    m.high_step = d->sum.residual / n;
    m.fields = 0;
    for (k = 0; k < d->l.planes; k++) {
        m.plane[k] = d->sum.plane[k] / n;
        m.fields += m.plane[k];
    }
    m.rest = m.fields - m.plane[0];
    m.coded = 8 * (double)d->coded / n;
    return m;
}

/* What a unit of a dtype is called. */
static const char *noun(unsigned dtype)
{
    unsigned bits = wcodec_dtype_bits(dtype);
    return dtype == WCODEC_C64 ? "half" : bits < 8 ? "byte" : "value";
}

static int has_exponent_plane(const page_dtype *d)
{
    return d->l.bits != 0 && d->l.planes > 1 && d->l.plane[0].width == d->l.bits;
}

static void bits_row(page *p, const char *label, const means *m, const page_part *part, size_t parts,
                     const char *unit)
{
    double sum = 0;
    size_t i;
    for (i = 0; i < parts; i++) sum += part[i].value;
    page_row_begin(p);
    page_put(p, label);
    page_row_bar(p);
    page_printf(p, "%s: %.2f of %.0f bits a %s", label, sum, m->bits, unit);
    page_row_number(p, part, parts, m->bits, m->bits);
    page_printf(p, "%.2f bits <span>%.1f&#8239;%%</span>", sum, 100 * sum / m->bits);
    page_row_end(p);
}

static void write_why_bars(page *p, const page_dtype *d, const means *m, const char *unit)
{
    const int split = has_exponent_plane(d);
    page_part part[WCODEC_MAX_PLANES];
    unsigned k;
    page_put(p, "<div class=\"legend\">");
    if (split) {
        page_key(p, "exp", "exponent");
        page_key(p, "man", "sign and mantissa");
    }
    page_key(p, "low", "whole bytes, entropy");
    page_key(p, "coded", "really coded");
    page_key(p, "frame", "as stored");
    page_put(p, "</div>\n<div class=\"rows\">\n");
    part[0] = page_part_of(m->bytes, "low");
    bits_row(p, "one table for all bytes", m, part, 1, unit);
    part[0] = page_part_of(m->conditional, "low");
    bits_row(p, "a table for each byte before", m, part, 1, unit);
    if (d->l.unit == 2) {
        part[0] = page_part_of(m->high, "low");
        part[1] = page_part_of(m->low, "low");
        bits_row(p, "high and low bytes apart", m, part, 2, unit);
    }
    if (d->l.planes > 1 && d->l.split != WCODEC_SPLIT_WORD16) {
        for (k = 0; k < d->l.planes; k++) {
            part[k] = page_part_of(m->plane[k], split ? (k == 0 ? "exp" : "man") : "low");
        }
        bits_row(p, split ? "exponent and the rest apart" : "every plane apart", m, part, d->l.planes, unit);
    }
    if (split) {
        part[0] = page_part_of(m->exponent_step, "exp");
        part[1] = page_part_of(m->rest, "man");
        bits_row(p, "the same, exponents as differences", m, part, 2, unit);
    } else if (d->l.unit == 1 && d->l.planes == 1) {
        part[0] = page_part_of(m->high_step, "low");
        bits_row(p, "differences of neighbours", m, part, 1, unit);
    }
    part[0] = page_part_of(m->coded, "coded");
    bits_row(p, "in the container, all included", m, part, 1, unit);
    page_put(p, "</div>\n");
}

static void delta_sentence(page *p, const char *what, double plain, double step)
{
    double loss = step - plain;
    page_printf(
        p,
        "Coding the difference to the neighbour before instead of %s would take %.2f bits where it takes "
        "%.2f itself: ",
        what, step, plain);
    if (loss > 0.005) page_printf(p, "%.2f bits lost, for neighbouring weights are not alike. ", loss);
    else if (loss < -0.005)
        page_printf(p,
                    "%.2f bits gained, for neighbours here are alike; the encoder tries that "
                    "for every plane of every tile. ",
                    -loss);
    else page_put(p, "no difference. ");
}

/* Of two bytes the high one holds all of the exponent or nearly so, and may come out as small. */
static void write_byte_sentence(page *p, const page_dtype *d, const means *m)
{
    const int straddles = d->l.shift % 8 + d->l.bits > 8;
    page_printf(p, "High and low bytes with a table each need %.2f", m->high + m->low);
    if (m->high + m->low < m->fields - 0.005) {
        page_put(p, ", a little less, for a table of the whole high byte also sees what the exponent says of "
                    "the bits beside it. ");
    } else if (m->high + m->low < m->fields + 0.005) {
        page_put(p, ", which is the same. ");
    } else {
        page_printf(p, ", for the exponent %s. ", straddles ? "straddles them" : "shares its byte");
    }
}

static void write_why_words(page *p, unsigned dtype, const page_dtype *d, const means *m)
{
    const char *name = page_dtype_name(dtype), *unit = noun(dtype);
    page_put(p, "<p>");
    if (has_exponent_plane(d)) {
        const double rest_bits = m->bits - d->l.bits;
        page_printf(
            p,
            "%s stores a %s in %.0f bits. The %u bits of the exponent carry %.2f bits of information, "
            "the %.0f of sign and mantissa %.2f%s. Told apart, that is <strong>%.2f bits</strong>. ",
            name, unit, m->bits, d->l.bits, m->exponent, rest_bits, m->rest,
            m->rest > 0.97 * rest_bits ? ", next to noise" : "", m->fields);
        page_printf(p, "In whole bytes the two are mixed: one table for all of them needs %.2f bits a %s%s. ",
                    m->bytes, unit,
                    m->bytes > m->fields + 0.005
                        ? ", and every coder that works byte by byte starts from there"
                        : ", and here that is no more");
        if (d->l.unit == 2) write_byte_sentence(p, d, m);
        delta_sentence(p, "the exponent", m->exponent, m->exponent_step);
    } else if (dtype == WCODEC_BYTES) {
        page_printf(
            p,
            "Of these bytes nothing is known, not even where a value begins, so nothing is split: one table "
            "for all of them needs %.2f of 8 bits, with the byte before known it is %.2f. ",
            m->bytes, m->conditional);
        if (p->tensors == 0) page_put(p, "If the whole file is numbers of one kind, --dtype says so. ");
        delta_sentence(p, "the byte", m->bytes, m->high_step);
    } else if (d->l.unit == 1 && d->l.planes == 1) {
        page_printf(
            p,
            "A value of %s is one byte without fields: there is nothing to split, and its entropy of %.2f of "
            "8 bits is what a coder has to work with. ",
            name, m->bytes);
        delta_sentence(p, "the value", m->bytes, m->high_step);
    } else {
        page_printf(
            p,
            "In %s the %u planes of a %s carry %.2f of %.0f bits apart from each other, and %.2f with one "
            "table for all bytes. ",
            name, d->l.planes, unit, m->fields, m->bits, m->bytes);
    }
    page_printf(
        p,
        "In the container a %s comes to <strong>%.2f bits</strong>, tables, checksums and padding of its "
        "tiles included%s.</p>\n",
        dtype == WCODEC_BYTES ? "byte" : unit, m->coded,
        m->coded > 1.05 * m->fields ? "; it is small pieces that they cost most" : "");
}

static void write_why(page *p)
{
    unsigned i, shown = 0;
    page_put(
        p, "<h2>Why the bits are split</h2>\n<p class=\"soft\">Entropy of order 0 says how many bits a value "
           "takes at the least if values are coded one by one with a table of how often each occurs. "
           "These are means over the pieces of a dtype, each with tables of its own.</p>\n");
    for (i = 0; i < p->dtypes; i++) {
        const unsigned dtype = p->dtype_order[i];
        const page_dtype *d = &p->dtype[dtype];
        means m;
        if (!page_worth_showing(p, i) || shown == 3) continue;
        shown++;
        m = find_means(d);
        page_printf(p, "<h3>%s</h3>\n", page_dtype_name(dtype));
        write_why_words(p, dtype, d, &m);
        write_why_bars(p, d, &m, dtype == WCODEC_BYTES ? "byte" : noun(dtype));
    }
    page_put(
        p,
        "<p class=\"soft\">A table for each byte before (256 tables) flatters small tensors, for their few "
        "bytes do not fill the tables, which would have to be stored.</p>\n");
}

/* ---- planes ---- */

static void write_planes(page *p)
{
    unsigned i, k;
    page_put(
        p, "<h2>Entropy by plane</h2>\n<p class=\"soft\">A tile is split into planes, which are coded apart. "
           "The frame is as wide as the plane, the bar as its entropy: what is empty can be saved.</p>\n"
           "<div class=\"legend\">");
    page_key(p, "exp", "exponent");
    page_key(p, "man", "other planes");
    page_key(p, "frame", "width of the plane");
    page_put(p, "</div>\n");
    for (i = 0; i < p->dtypes; i++) {
        const page_dtype *d = &p->dtype[p->dtype_order[i]];
        if (!page_worth_showing(p, i)) continue;
        page_printf(p, "<h3>%s <span class=\"soft\">as %s</span></h3>\n<div class=\"rows\">\n",
                    page_dtype_name(p->dtype_order[i]), wcodec_split_name(d->l.split));
        for (k = 0; k < d->l.planes; k++) {
            const measure_plane *plane = &d->l.plane[k];
            const double bits = d->sum.plane[k] / (double)d->units;
            page_part part = page_part_of(bits, k == 0 && d->l.bits != 0 && d->l.planes > 1 ? "exp" : "man");
            page_row_begin(p);
            page_put(p, plane->what);
            page_row_bar(p);
            page_printf(p, "%s, %s: entropy %.3f of %u bits", page_dtype_name(p->dtype_order[i]), plane->what,
                        bits, plane->width);
            page_row_number(p, &part, 1, plane->width, 8);
            page_printf(p, "%.3f <span>of %u bits</span>", bits, plane->width);
            page_row_end(p);
        }
        page_put(p, "</div>\n");
    }
}

/* ---- coders ---- */

static const char *coder_words(unsigned coder)
{
    static const char *const words[WCODEC_CODER_COUNT] = {
        "copied as they are", "one value, stored once", "one value and the exceptions", "Huffman codes",
        "rANS, tables of 16 values", "rANS, tables of 256 values"
    };
    return coder < WCODEC_CODER_COUNT && words[coder] != NULL ? words[coder] : "";
}

static void write_coder(page *p, unsigned coder, double full)
{
    const cli_plane_sum *sum = &p->tiles.coder[coder];
    page_part part = page_part_of((double)sum->bytes, "coded");
    page_row_begin(p);
    page_printf(p, "%s <small>%s</small>", wcodec_coder_name(coder), coder_words(coder));
    page_row_bar(p);
    page_printf(p, "%s: %" PRIu64 " bytes become %" PRIu64, wcodec_coder_name(coder), sum->bits / 8,
                sum->bytes);
    page_row_number(p, &part, 1, (double)sum->bits / 8, full);
    page_size(p, sum->bits / 8);
    page_put(p, " &#8594; ");
    page_size(p, sum->bytes);
    page_printf(p, " <small>%.3f bits a value</small>", cli_plane_bits(sum));
    page_row_end(p);
}

static void write_shares(page *p, const uint64_t *count, unsigned size, uint64_t all,
                         const char *(*name)(unsigned))
{
    const char *comma = "";
    unsigned i;
    for (i = 0; i < size; i++) {
        if (count[i] == 0) continue;
        page_printf(p, "%s%s", comma, name(i));
        if (count[i] != all) page_printf(p, " %.1f&#8239;%%", 100 * cli_ratio(count[i], all));
        comma = ", ";
    }
}

static void write_coded_planes(page *p)
{
    unsigned split, i;
    page_put(
        p,
        "<p class=\"soft\">Planes in the container, by the split that the encoder chose for each tile:</p>\n"
        "<div class=\"scroll\"><table class=\"text "
        "words\">\n<thead><tr><th>plane</th><th>bits</th><th>values</th>"
        "<th>bytes</th><th>coded, bits a value</th><th>coded as (share of "
        "tiles)</th></tr></thead>\n<tbody>\n");
    for (split = 0; split < WCODEC_SPLIT_COUNT; split++) {
        for (i = 0; i < WCODEC_MAX_PLANES; i++) {
            const cli_plane_sum *sum = &p->tiles.plane[split][i];
            if (sum->tiles == 0) continue;
            page_printf(p, "<tr><td>%s.%u</td><td>%" PRIu64 "</td><td>", wcodec_split_name(split), i,
                        sum->bits / sum->values);
            page_count(p, sum->values);
            page_put(p, "</td><td>");
            page_count(p, sum->bytes);
            page_printf(p, "</td><td>%.3f</td><td>", cli_plane_bits(sum));
            write_shares(p, sum->coder, WCODEC_CODER_COUNT, sum->tiles, wcodec_coder_name);
            if (sum->predictor[WCODEC_PREDICT_NONE] != sum->tiles) {
                page_put(p, "; predictor ");
                write_shares(p, sum->predictor, WCODEC_PREDICT_COUNT, sum->tiles, wcodec_predictor_name);
            }
            page_put(p, "</td></tr>\n");
        }
    }
    page_put(p, "</tbody></table></div>\n");
}

static void write_coders(page *p)
{
    uint64_t most = 0, bytes = 0;
    unsigned i;
    page_put(
        p,
        "<h2>Size by coder</h2>\n<p class=\"soft\">Each plane of each tile goes to the coder that makes it "
        "smallest, or stays as it is.</p>\n<div class=\"legend\">");
    page_key(p, "coded", "what came out");
    page_key(p, "frame", "what went in");
    page_put(p, "</div>\n<div class=\"rows\">\n");
    for (i = 0; i < WCODEC_CODER_COUNT; i++) {
        if (p->tiles.coder[i].bits / 8 > most) most = p->tiles.coder[i].bits / 8;
        if (p->tiles.coder[i].bytes > most) most = p->tiles.coder[i].bytes;
        bytes += p->tiles.coder[i].bytes;
    }
    for (i = 0; i < WCODEC_CODER_COUNT; i++) {
        if (p->tiles.coder[i].tiles != 0) write_coder(p, i, (double)most);
    }
    page_put(p, "</div>\n<p>Planes ");
    page_count(p, bytes);
    page_put(p, " bytes, heads and padding of the tiles ");
    page_count(p, p->tiles.record_bytes - bytes);
    page_put(p, ", index ");
    page_count(p, p->index_size);
    page_put(p, ", header ");
    page_count(p, p->header_size);
    page_put(p, ", end ");
    page_count(p, p->container_size - p->tiles.record_bytes - p->index_size - p->header_size);
    page_put(p, ": together the ");
    page_count(p, p->container_size);
    page_put(p, " bytes of the container.</p>\n");
    write_coded_planes(p);
}

/* ---- peers ---- */

static void write_peer_bar(page *p, const char *name, const char *option, double ratio,
                           const char *class_name, double full)
{
    page_part part = page_part_of(ratio, class_name);
    page_row_begin(p);
    page_printf(p, "%s %s", name, option);
    page_row_bar(p);
    page_printf(p, "%s %s: ratio %.4f", name, option, ratio);
    page_row_number(p, &part, 1, 1, full);
    page_printf(p, "%.4f", ratio);
}

static void write_peer_absences(page *p)
{
    unsigned state, i;
    for (state = PEER_OFF; state <= PEER_FAILED; state++) {
        const char *comma = "";
        for (i = 0; i < PEERS; i++) {
            if (p->peer[i].state != (int)state) continue;
            if (*comma == 0)
                page_put(p, state == PEER_OFF       ? "<p>Not run: "
                            : state == PEER_MISSING ? "<p>Not found in PATH: "
                                                    : "<p>Failed: ");
            page_printf(p, "%s%s %s", comma, p->peer[i].program, p->peer[i].option);
            comma = ", ";
        }
        if (*comma != 0) page_put(p, ".</p>\n");
    }
}

static void write_peers(page *p)
{
    const double ours = cli_ratio(p->container_size, p->plan->size);
    double full = 1;
    unsigned i;
    page_put(
        p,
        "<h2>Beside general compressors</h2>\n<p class=\"soft\">Size that comes out, over size that goes in; "
        "the frame is 1.</p>\n");
    if (p->plan->size != 0) {
        if (ours > full) full = ours;
        for (i = 0; i < PEERS; i++) {
            if (p->peer[i].state != PEER_DONE) continue;
            full = fmax(full, (double)p->peer[i].bytes / (double)p->sample.bytes);
        }
        page_put(p, "<div class=\"rows\">\n");
        write_peer_bar(p, "wcodec", cli_profile_names[p->opt->profile], ours, "coded", full);
        page_put(p, " <span>");
        page_count(p, p->container_size);
        page_put(p, " bytes</span>");
        page_row_end(p);
        for (i = 0; i < PEERS; i++) {
            const page_peer *peer = &p->peer[i];
            if (peer->state != PEER_DONE) continue;
            write_peer_bar(p, peer->program, peer->option, cli_ratio(peer->bytes, p->sample.bytes), "peer",
                           full);
            page_put(p, " <span>");
            if (p->sample.slices > 1) {
                page_put(p, "of ");
                page_size(p, p->sample.bytes);
                page_put(p, "</span>");
            } else {
                page_count(p, peer->bytes);
                page_put(p, " bytes</span>");
            }
            page_row_end(p);
        }
        page_put(p, "</div>\n");
    }
    if (p->sample.slices > 1) {
        page_put(p,
                 "<p>wcodec's ratio is that of the whole file. The others got a sample, which keeps the time "
                 "within bounds: ");
        page_printf(p, "%" PRIu64 " slices of ", p->sample.slices);
        page_size(p, p->sample.slice);
        page_put(p, ", evenly spread (--peers sets how much).</p>\n");
    } else if (p->sample.slices == 1) {
        page_put(p, "<p>All got the whole file.</p>\n");
    }
    write_peer_absences(p);
}

/* ---- the whole ---- */

static void write_body(page *p)
{
    page_put(p, "<header>\n<p class=\"kind\">wcodec analyze</p>\n<h1><bdi>");
    page_file_name(p, 1);
    page_put(p, "</bdi></h1>\n");
    write_facts(p);
    page_put(p, "</header>\n<main>\n");
    write_dtypes(p);
    if (p->dtypes != 0) {
        write_why(p);
        write_planes(p);
        write_coders(p);
        write_peers(p);
        page_write_tensors(p);
        page_write_histograms(p);
        page_write_maps(p);
        page_write_table(p);
    }
    page_put(p,
             "</main>\n<footer class=\"soft\"><p>Written by wcodec " WCODEC_VERSION ". KiB, MiB and GiB are "
             "powers of 1024. Every byte of the file went into the entropies and the histograms; the "
             "container was made in full.</p></footer>\n");
    page_write_script(p);
    page_put(p, "</body>\n</html>\n");
}

int page_write(page *p)
{
    page_write_head(p);
    write_body(p);
    if (p->out.error != 0) return cli_output_fail(&p->out);
    return cli_output_commit(&p->out);
}
