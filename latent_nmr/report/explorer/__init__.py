"""One HTML file on which one moves through a latent space, without network or framework."""

from latent_nmr.report.explorer._page import ExplorerPage as ExplorerPage
from latent_nmr.report.explorer._page import explore as explore
from latent_nmr.report.explorer._page import write_page_of_run as write_page_of_run
