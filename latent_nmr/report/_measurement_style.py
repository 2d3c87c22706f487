"""Style of the page of measured echoes, beside what all pages share."""

# A verdict has a word; its colour only helps to find it.
MEASUREMENT_STYLE = """
.verdict { font-size: 1.25rem; line-height: 1.45; max-width: 52rem; margin: 1.2rem 0 .6rem;
  padding: .7rem 1.1rem; border-left: .45rem solid var(--soft); background: var(--faint); }
.verdict strong { display: block; font-size: 1.7rem; letter-spacing: .02em; line-height: 1.25; }
.verdict.inside { border-color: #0072b2; }
.verdict.outside { border-color: #d55e00; }
.verdict + .facts { margin-bottom: 1.6rem; }
ol { padding-left: 1.6rem; }
ol li { margin-bottom: .3rem; overflow-wrap: anywhere; }
table.plain td, table.plain th { text-align: left; }
h3.record { font-size: 1.15rem; margin-top: 2.6rem; }
figcaption:empty { display: none; }
@media screen and (max-width: 42rem) {
  figure { overflow-x: auto; }
  figure img { max-width: none; width: 40rem; }
}
@media print { .verdict { print-color-adjust: exact; } }
"""
