/* Whom it talks to. */
#include "violator.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

static void open_socket(int family, int type, int protocol) {
  must(socket(family, type, protocol) >= 0, "socket");
}

static void packet(char **words) {
  (void)words;
  open_socket(AF_PACKET, SOCK_RAW, 0);
}

static void packet_datagrams(char **words) {
  (void)words;
  open_socket(AF_PACKET, SOCK_DGRAM, 0);
}

static void raw(char **words) {
  (void)words;
  open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static void raw6(char **words) {
  (void)words;
  open_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
}

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

static socklen_t parse(const char *text, int port, union address *address) {
  memset(address, 0, sizeof *address);
  if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
    address->v4.sin_family = AF_INET, address->v4.sin_port = htons(port);
    return sizeof address->v4;
  }
  must(inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1, text);
  address->v6.sin6_family = AF_INET6, address->v6.sin6_port = htons(port);
  return sizeof address->v6;
}

static int bound(int type, const char *text, int port) {
  union address address;
  socklen_t length = parse(text, port, &address);
  int file = socket(address.any.sa_family, type, 0);
  must(file >= 0 && bind(file, &address.any, length) == 0, text);
  must(type != SOCK_STREAM || listen(file, 5) == 0, "listen");
  return file;
}

/* A server at this address and port. */
static void tcp(char **words) { bound(SOCK_STREAM, words[0], atoi(words[1])); }
static void udp(char **words) { bound(SOCK_DGRAM, words[0], atoi(words[1])); }

static void unix_stream(char **words) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int file = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", words[0]);
  must(file >= 0 && bind(file, (struct sockaddr *)&address, sizeof address) == 0 && listen(file, 5) == 0, words[0]);
}

/* The two ends of a connection through this address of the loopback device. */
static void connect_through(const char *text, int ends[2]) {
  union address address;
  socklen_t length = parse(text, 0, &address);
  int server = bound(SOCK_STREAM, text, 0);
  must(getsockname(server, &address.any, &length) == 0, "getsockname");
  ends[0] = socket(address.any.sa_family, SOCK_STREAM, 0);
  must(ends[0] >= 0 && connect(ends[0], &address.any, length) == 0, "connect");
  ends[1] = accept(server, NULL, NULL);
  must(ends[1] >= 0, "accept");
  close(server);
}

/* One end becomes these descriptors of a child, the parent keeps the other. */
static void standard(const int ends[2], const char *which) {
  uint32_t list[3];
  int count = numbers(which, list, 3);
  go_on_as_child();
  close(ends[1]);
  for (int i = 0; i < count; i++) must(dup2(ends[0], list[i]) >= 0, "dup2");
  close(ends[0]);
}

/* Standard input, output or error, by number, is a connection by TCP or to a local socket. */
static void connected(char **words) {
  int ends[2];
  connect_through(words[0], ends);
  standard(ends, words[1]);
}

static void connected_locally(char **words) {
  int ends[2];
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
  standard(ends, words[0]);
}

const struct step sockets[] = {
    {"packet", 0, packet},
    {"packet-datagrams", 0, packet_datagrams},
    {"raw", 0, raw},
    {"raw6", 0, raw6},
    {"tcp", 2, tcp},
    {"udp", 2, udp},
    {"unix", 1, unix_stream},
    {"connected", 2, connected},
    {"connected-locally", 1, connected_locally},
    {0},
};
