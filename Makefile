# Installs procward: `make`, then `sudo make install`, with PREFIX=/usr/local and DESTDIR= as usual. What goes where is in
# install/files; docs/install.md says more. A package for Debian is built by scripts/build-deb.
PREFIX = /usr/local
DESTDIR =
BINARY = target/release/procward

all:
	cargo build --release --locked

$(BINARY):
	cargo build --release --locked

# Below a DESTDIR nothing is anybody's yet: the package that is made of it runs install/owners.
install: $(BINARY)
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' BINARY='$(BINARY)' install/place install
	[ -n '$(DESTDIR)' ] || PREFIX='$(PREFIX)' install/owners

# The configuration, what procward remembers, and its user stay.
uninstall:
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' install/place uninstall

deb: $(BINARY)
	scripts/build-deb --binary '$(BINARY)'

.PHONY: all install uninstall deb
