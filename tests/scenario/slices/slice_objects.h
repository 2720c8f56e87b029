#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

namespace meshdns::test {

using ObjectOptions = std::map<std::string, std::string>;

/// Objects as the API server sends them, in short words. Each has the uid `uid=` or "uid-KIND-NAME", and the namespace
/// `ns=` or shop.
///   service    type=ExternalName notready=true export=true|false
///   slice      service=web type=IPv6 ports=http:8080,53/UDP (or null)
///              u1=ADDRESS[/NODE[/ZONE[/CONDITIONS[/HOSTNAME]]]]: a pod, or no pod if the word begins with "ip"
///              CONDITIONS: ready, notready, terminating, stopped (terminating and not serving), published
///              (ready, but not serving), null; `endpoints=null`
///   node       region= zone=
///   namespace  export=true
///   export
/// broken=MEMBER: a member of the wrong type
boost::json::object kubernetes_object(const std::string& kind, const std::string& name, const ObjectOptions& options);

}  // namespace meshdns::test
