#include "dnsd/app/own_certificate.h"

#include <algorithm>
#include <string>
#include <vector>

#include "common/authority/authority.h"
#include "common/authority/folder.h"
#include "common/convert/report_convert.h"
#include "common/model/host_name.h"
#include "common/net/socket_address.h"
#include "common/time/validity_text.h"
#include "dnsd/app/machine_addresses.h"

namespace meshdns::dnsd::app {
namespace {

constexpr const char* kAuthority = "federation.authority";

/// Adds a name or an address in the form that the certificate shows.
void add(std::vector<std::string>& out, const std::string& text) {
  const auto address = IpAddress::parse(text);
  const std::string shown = address ? address->text() : model::host_key(text);
  if (std::ranges::find(out, shown) == out.end()) out.push_back(shown);
}

std::vector<std::string> addresses_of(const config::v1::Meshdnsd& file) {
  std::vector<std::string> out;
  for (const std::string& text : file.federation().addresses()) add(out, text);
  if (model::is_host_name(host_name())) add(out, host_name());
  const auto bound = SocketAddress::parse(file.federation().listen());
  if (!bound) return out;  // a unix socket
  if (!bound->ip.is_unspecified()) {
    add(out, bound->ip.text());
    return out;
  }
  for (const IpAddress& address : machine_addresses()) add(out, address.text());
  for (const char* here : {"localhost", "127.0.0.1", "::1"}) add(out, here);
  return out;
}

}  // namespace

enrolment::OwnCertificate::Options own_certificate(const Configuration& configuration) {
  const config::v1::Meshdnsd& file = configuration.file;
  const std::string name = model::is_node_name(host_name()) ? host_name() : "federation";
  return {.authority = *configuration.authority(),
          .certificate = configuration.tls->certificate,
          .key = configuration.tls->key,
          .identity = {identity::Role::Federation, file.cluster(), name},
          .addresses = [&configuration] { return addresses_of(configuration.file); },
          .lifetime = convert::from_wire(file.federation().certificate_lifetime())};
}

Result<void> check_authority(const Configuration& configuration, std::int64_t unix_seconds) {
  const auto found = authority::read_known_folder(*configuration.authority(), unix_seconds);
  if (!found) return found.error().with_context(kAuthority);
  const auto signer = authority::describe_signer(*found);
  if (!signer) return signer.error().with_context(kAuthority);
  const std::string problem = validity_problem(signer->not_before, signer->not_after, unix_seconds);
  if (problem.empty()) return {};
  return Error(Code::InvalidArgument, std::string(kAuthority) + ": " + *configuration.authority() +
                                          ": the authority is " + problem + "; " + clock_hint(unix_seconds));
}

}  // namespace meshdns::dnsd::app
