#include "agent/probes/failed_probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "common/base/text.h"
#include "common/net/kernel_address.h"
#include "common/time/duration_text.h"

namespace meshdns::probes {
namespace {

using health::Outcome;

std::string error_text(int number) { return ascii_lower(std::generic_category().message(number)); }

/// Whether only this host can have caused the error: no memory, no free local port, a local firewall, a file of TLS.
/// EACCES is not in the list, because the remote side causes it with ICMPv6 "administratively prohibited".
bool is_own_trouble(const Error& error) {
  constexpr std::array kNumbers = {ENOBUFS, ENOMEM, EADDRNOTAVAIL, EADDRINUSE, EPERM};
  if (error.code() == Code::ResourceExhausted || error.code() == Code::FailedPrecondition) return true;
  return std::any_of(kNumbers.begin(), kNumbers.end(),
                     [&error](int number) { return ascii_lower(error.message()) == error_text(number); });
}

}  // namespace

Error connect_error(int number) {
  if (number == EMFILE || number == ENFILE) return {Code::ResourceExhausted, "out of file descriptors"};
  if (number == ETIMEDOUT) return {Code::DeadlineExceeded, "timeout"};
  return {Code::Unavailable, error_text(number)};
}

health::ProbeResult failed_probe(const Error& error, Duration timeout, bool has_route) {
  if (error.code() == Code::DeadlineExceeded) return {Outcome::Timeout, "timeout after " + duration_text(timeout)};
  if (ascii_lower(error.message()) == error_text(ECONNREFUSED)) return {Outcome::Refused, "connection refused"};
  if (is_own_trouble(error) || !has_route) return {Outcome::Unknown, error.message()};
  return {Outcome::Failure, error.message()};
}

// connect() of a datagram socket looks into the routing table and sends nothing.
bool has_route(const SocketAddress& address) {
  const auto where = KernelAddress::of(address);
  const int descriptor = socket(where.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  const bool found = connect(descriptor, where.get(), where.size) == 0;
  close(descriptor);
  return found;
}

}  // namespace meshdns::probes
