#pragma once

#include "common/config/place.h"

// Checks that concern several values of a file together. MessageReader has checked each value by its own rules before.
namespace meshdns::config {

void check_dnsd(const Place& root, const v1::Meshdnsd& config, Report& report);
void check_agent(const Place& root, const v1::Agent& config, Report& report);
void check_endpoints(const Place& root, const v1::EndpointsFile& file, Report& report);
void check_mesh(const Place& root, const v1::MeshFile& file, Report& report);
/// roots: the place of each object, in the same order
void check_objects(const std::vector<Place>& roots, const std::vector<meshdns::v1::Object>& objects, Report& report);

/// Reports what cannot be sent or accepted in a check of HTTP.
void check_http(const Place& place, const v1::HttpCheck& http, Report& report);
/// Reports what cannot work in the `tls_options` of a check.
/// check: the mapping that may have them
/// tls:   the check uses TLS
void check_tls_options(const Place& check, const v1::CheckTls& options, bool tls, Report& report);

/// Whether `tls` and `insecure` are given in one mapping of the file.
struct Protection {
  bool tls = false;
  bool insecure = false;
};
/// Reports `tls` together with `insecure`.
/// section: the mapping that has both
void check_protection(const Place& section, Protection protection, Report& report);
/// The problem of a section with `tls` and `join`.
inline constexpr const char* kNotBoth = "not with tls: joining brings the certificate";
/// Reports an address on another host without `tls`, unless `insecure: true` allows plaintext.
void check_plaintext(const Place& at, const std::string& address, Protection protection, Report& report);
/// Reports rules that cannot work, and the whole section if there are no certificates.
/// tls: the daemon has TLS with another host
void check_identity(const Place& section, const v1::Identity& identity, bool tls, Report& report);
/// Reports service accounts that are none or have two roles, and the whole section if the federation signs nothing.
/// signs: the federation signs certificates
void check_pod_identity(const Place& section, const v1::KubernetesIdentity& config, bool signs, Report& report);
/// Reports `federation.authority_secret` together with another authority, and what is missing in it.
void check_authority_secret(const Place& section, const v1::Federation& federation, Report& report);
/// Reports a `join` that says not exactly one way to join.
void check_join(const Place& section, const v1::Join& join, Report& report);
/// Reports `cluster` and `node` inside a daemon's own locality: they have keys of their own at the top of the file.
/// locality: a message with both fields
template <class Locality>
void check_own_locality(const Place& root, const Locality& locality, Report& report) {
  const Place place = root.child("locality");
  if (!locality.cluster().empty()) report.add(place.child("cluster"), "write cluster beside locality, not in it");
  if (!locality.node().empty()) report.add(place.child("node"), "write the node's name beside locality, not in it");
}

}  // namespace meshdns::config
