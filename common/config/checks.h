#pragma once

#include "common/config/place.h"

// What several values of a file must have in common, after each has been read by its own rules.
namespace meshdns::config {

void check_dnsd(const Place& root, const v1::Meshdnsd& config, Report& report);
void check_agent(const Place& root, const v1::Agent& config, Report& report);
void check_endpoints(const Place& root, const v1::EndpointsFile& file, Report& report);
void check_mesh(const Place& root, const v1::MeshFile& file, Report& report);
/// roots: one for each object, in the same order
void check_objects(const std::vector<Place>& roots, const std::vector<meshdns::v1::Object>& objects, Report& report);

/// What protects a connection: `tls` and `insecure` as they stand in one mapping.
struct Protection {
  bool tls = false;
  bool insecure = false;
};
/// One of the two, not both. section: the mapping they are in
void check_protection(const Place& section, Protection protection, Report& report);
/// Plaintext beyond this host needs `insecure: true`.
void check_plaintext(const Place& at, const std::string& address, Protection protection, Report& report);
/// A daemon's own locality: cluster and node have keys of their own.
void check_own_locality(const Place& root, const v1::Locality& locality, Report& report);

}  // namespace meshdns::config
