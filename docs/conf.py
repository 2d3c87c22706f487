"""Settings of the site: `make docs` builds it and runs the gallery, `make docs-text` its text."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]
# Examples share compiled programs, of this build and of those before it.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(HERE / "_build" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
os.environ.setdefault("TQDM_DISABLE", "1")

from examples import before_and_after, last_figure  # noqa: E402

import latent_nmr  # noqa: E402

project = "latent_nmr"
author = "The latent_nmr developers"
project_copyright = "The latent_nmr developers"
version = release = latent_nmr.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "site_parts",
    "site_links",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext", "gallery", "generated/gallery/**.ipynb"]
templates_path = ["_templates"]
default_role = "literal"
nitpicky = False
# sphinx-gallery's own classes in the settings below.
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# A build asks no network: names of other packages are linked where their inventories lie here.
INVENTORIES = {
    "numpy": "https://numpy.org/doc/stable/",
    "sklearn": "https://scikit-learn.org/stable/",
    "xarray": "https://docs.xarray.dev/en/stable/",
}
intersphinx_mapping = {
    name: (address, str(inventory))
    for name, address in INVENTORIES.items()
    if (inventory := HERE / "_inventories" / f"{name}.inv").is_file()
}

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "generated/gallery",
    "filename_pattern": r"plot_\w+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("latent_nmr",),
    "reference_url": {"latent_nmr": None},
    "reset_modules": ("matplotlib", before_and_after),
    "reset_modules_order": "both",
    "parallel": False,
    "remove_config_comments": True,
    "download_all_examples": False,
    "min_reported_time": 0,
    "image_scrapers": (last_figure, "matplotlib"),
    "matplotlib_animations": False,
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"matplotlib|StillFigure|list",
    "nested_sections": False,
    "plot_gallery": "True",
}

html_theme = "pydata_sphinx_theme"
html_title = "latent_nmr"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "latent_nmr"},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
html_sidebars = {"start": [], "theory": [], "challenge": [], "changelog": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
