#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/objects.h"
#include "common/model/override.h"
#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "tests/support/scenario/scenario.h"

// How the scenarios of the mesh write what stands in records. Wrong words throw, and the runner prints that.
namespace meshdns::test {

/// The value, or an exception.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *result;
}

/// "a:b" as `first` a and b; empty where there is no separator
std::string two(const std::string& pair, char separator, std::string& first);
/// "a,b" as two; none of nothing
std::vector<std::string> split_words(const std::string& text, char separator = ',');
std::uint32_t number(const std::string& text);

model::Locality locality_of(const Command& command);
std::vector<Prefix> prefixes_of(const Command& command, const std::string& key);
std::vector<IpAddress> addresses_of(const std::vector<std::string>& texts);
/// Each "name:value"
model::Labels labels_of(const std::vector<std::string>& entries);
/// Each "http:8080[:https[:UDP]]"
std::vector<model::Port> ports_of(const std::vector<std::string>& entries);
/// Reads "web", "web/web-0" with a hostname, "web!" if it is published while not ready, "web+http:8080+dns:53:UDP" with
/// ports. The services are in order.
model::Memberships memberships_of(const std::vector<std::string>& entries);
/// Each "eu-2:12ms"
std::map<std::string, Duration> distances_of(const std::vector<std::string>& entries);

/// "cluster NAME ..." of MeshSubject
model::Cluster cluster_of(const Command& command);

/// vd NAMESPACE/NAME hosts=H,.. [created=1]
///   [name=S] [labels=a:b,..] [expressions=role:In:a+b,gone:DoesNotExist,..] [clusters=C,..]   one selector
///   [also=NAMESPACE/SERVICE,..]                                                 more selectors, by name
///   [ports=http:80:8080:https,..]                                               name, number, targetPort, appProtocol
///   [external=ADDRESS:PORT,..] [hostname=NAME:PORT,..] [externalWeight=1] LOCALITY (of all of these)
///   [ladder=R,..] [onEmpty=NoData] [families=independent] [max=8] [ttl=5s] [ttlMin=1s] [slowStart=30s|off]
///   [fence=within:region,regions:eu+us,zones:..,clusters:..] [spill=140%[/50%]]
///   [failover=FROM>TO>TO,..] [groups=role:primary+tier:gold,role:standby] [distribute=FROM>80%TO>20%TO,..]
/// FROM and TO: region:us+zone:us-a, or * for everywhere
model::VirtualDestination destination_of(const Command& command);

/// override NAME ACTION [node=N|zone=Z|...] [author=A] [reason=words_with_underscores] [for=DURATION] [local]
/// now: when it is made, as seconds since 1970
model::Override override_of(const Command& command, TimePoint now);

}  // namespace meshdns::test
