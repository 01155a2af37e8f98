/* A library to preload, or to have as an auditor, that does nothing. */
unsigned int la_version(unsigned int version) { return version; }
