#pragma once

#include <boost/json/fwd.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/discovery/pod.h"
#include "common/kubernetes/events.h"

namespace meshdns::discovery {

/// The pods of this node, by uid, kept equal to the events of a watch. Pure.
///
/// How it works: an initial list only adds and replaces. The pods that it does not name are removed when it is
/// complete, so that a list which breaks off, takes minutes or begins again withdraws nothing:
///
///   begin_list()  apply(Added...)  listed()  apply(...)  [begin_list() ...]
///
/// The uid is the pod's identity. A pod that gets the name or the address of another one is another pod, such as each
/// new run of a StatefulSet's "web-0".
///
/// Two things stay as they were known. An object that cannot be read leaves its pod unchanged, and is a problem. A
/// status without addresses leaves the pod its last ones: the API may leave them out once the containers have ended.
///
/// An address belongs to one pod, except that pods in the network of the node share the node's. Kubernetes gives an
/// address away as soon as the containers of its pod have ended, while that pod may still be listed with it: an answer
/// for the service of the old pod would then lead to the new one. So pods() has each address once. A pod that stays
/// wins over one that is being deleted, then the pod that was started last. What a pod loses while it is being deleted
/// is lost for good.
class PodStore {
 public:
  /// Begins an initial list.
  void begin_list();
  /// Takes one object. An Added or Modified object replaces what is known of the pod, whichever of the two it is.
  /// returns: whether pods() or problems() changed
  bool apply(kubernetes::EventType type, const boost::json::object& object);
  /// Ends the initial list: the pods that it did not name are removed.
  /// returns: whether pods() or problems() changed
  bool listed();

  /// Whether an initial list has been complete since the start, so that a pod which is missing here does not exist. It
  /// stays true during later lists.
  bool is_listed() const { return is_listed_; }
  /// The pods, by uid. Their addresses are those that they have, not all that their status names.
  const std::map<std::string, Pod>& pods() const { return pods_; }
  /// Why objects could not be read, by uid: "shop/web-0: status.podIPs: expected a list (got a text)". An object
  /// without a uid is under the empty key.
  const std::map<std::string, std::string>& problems() const { return problems_; }

 private:
  using Uids = std::set<std::string>;

  bool put(const std::string& uid, const boost::json::object& object);

  // ---- which pod has which address: only the pods that claim an address of the pod that changes are looked at ----

  /// Notes the addresses of a pod as claimed by it, and adds the pod and its rivals to `touched`. Pods in the network
  /// of the node claim nothing.
  void claim(const std::string& uid, Uids& touched);
  /// Forgets what a pod claims, if there is such a pod, and adds its rivals to `touched`.
  void unclaim(const std::string& uid, Uids& touched);
  void drop_claim(const IpAddress& address, const std::string& uid);
  /// Whether the address is the pod's, of all that claim it.
  /// requires: the pod claims it
  bool has(const std::string& uid, const IpAddress& address) const;
  /// Gives these pods the addresses that they have.
  /// returns: whether pods() changed
  bool settle(const Uids& touched);
  /// Takes from a pod for good what it does not keep.
  void lose_all_but(const std::vector<IpAddress>& kept, const std::string& uid);

  bool remove(const std::string& uid);
  bool set_problem(const std::string& uid, std::string problem);

  std::map<std::string, Pod> pods_;
  std::map<std::string, std::string> problems_;
  std::map<std::string, std::vector<IpAddress>> reported_;  // by uid: the last addresses, without those lost for good
  std::map<IpAddress, Uids> claimants_;                     // address -> the pods that report it as their own
  std::set<std::string> seen_;                              // uids of the initial list that is under way
  bool lists_ = false;
  bool saw_unknown_ = false;  // the list had an object without a uid, which may be any pod
  bool is_listed_ = false;
};

}  // namespace meshdns::discovery
