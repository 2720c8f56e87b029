#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "dnsd/answers/compile.h"
#include "dnsd/answers/compiler.h"
#include "dnsd/answers/settings.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/query/counters.h"
#include "dnsd/query/random.h"
#include "tests/support/dns/reply.h"
#include "tests/support/dns/request.h"
#include "tests/support/scenario/scenario.h"

namespace meshdns::test {

/// A whole dnsd without sockets: catalog, topology, answer table, one query function. Every reply is read by ldns.
///
///   zone NAME... | server LOCALITY | listener LOCALITY | forwarder PREFIX [granularity=node] | auto_hosts off
///   static TEXT...                           words as in a zone file
///   cluster NAME [LOCALITY] [distance=eu-2:12ms,..] [clients=P,..] [allowed=P,..] [gateways=ADDRESS/http:8080/..,..]
///   measured CLUSTER [OTHER:12ms,..] ; gateways_down CLUSTER [ADDRESS,..] ; resolved HOSTNAME [ADDRESS,..]
///   node CLUSTER/NODE [LOCALITY] [address=A,..] [prefix=P,..]
///   endpoint NODE NAMESPACE/SERVICE ADDRESS[,ADDRESS] [ports=http:8080:https,..|none] [labels=a:b,..] [weight=1]
///   [state=serving] [in=MEMBERSHIP,..]       SERVICE - = none; memberships_of() in words.h reads memberships
///   memberships ADDRESS in=MEMBERSHIP,.. ; health ADDRESS STATE [detail=words_with_underscores] [streak=1/3] [doubt] silent|late|heard NODE
///   [held=BRAKE] ;
///   withdraw NODE ; forget AFTER ; advance DURATION
///   vd NAMESPACE/NAME hosts=H,.. and what words.h lists
///   override NAME ACTION and what words.h lists
///   erase vd|cluster|override KEY ; revision ; changes SINCE ; conflicts
///   query NAME TYPE [from=A] [listener=0] [ecs=P] [edns] [size=512] [tcp] [at=UNIX_SECONDS]
///   draws NAME TYPE.. from=A,.. [count=1000] [step=5]   asks all of it once in every slot of `step` seconds, and
///   counts
///                                                       which answers came together
/// LOCALITY: network= region= zone= subzone= cluster= node=
class MeshSubject : public Subject {
 public:
  MeshSubject();
  std::string run(const Command& command) override;

 private:
  using Verb = std::string (MeshSubject::*)(const Command&);
  static const std::map<std::string, Verb>& verbs();

  std::string set_zone(const Command& command);
  std::string set_server(const Command& command);
  std::string add_listener(const Command& command);
  std::string add_forwarder(const Command& command);
  std::string set_auto_hosts(const Command& command);
  std::string add_static(const Command& command);
  std::string put_cluster(const Command& command);
  std::string put_node(const Command& command);
  std::string put_endpoint(const Command& command);
  std::string set_memberships(const Command& command);
  std::string set_health(const Command& command);
  std::string set_status(const Command& command);
  std::string withdraw(const Command& command);
  std::string forget(const Command& command);
  std::string advance(const Command& command);
  std::string put_destination(const Command& command);
  std::string put_override(const Command& command);
  std::string erase(const Command& command);
  std::string print_revision(const Command& command);
  std::string print_changes(const Command& command);
  std::string print_conflicts(const Command& command);
  std::string ask(const Command& command);
  std::string draw(const Command& command);
  std::string set_measured(const Command& command);
  std::string set_gateways_down(const Command& command);
  std::string set_resolved(const Command& command);

  /// The table as it follows on the one before: what is kept from compile to compile (panic) is kept here.
  answers::Compiled compiled();
  Reply reply_to(const answers::AnswerTable& table, const Command& command, const Request& request);

  answers::AnswerSettings settings_;
  catalog::Catalog catalog_;
  TimePoint now_{1h};
  query::Random random_{7};
  query::Counters counters_;
  std::map<std::string, model::ClusterStatus> statuses_;
  answers::Compiler compiler_;
  std::set<std::string> hosts_;
};

}  // namespace meshdns::test
