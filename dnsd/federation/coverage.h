#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"

namespace meshdns::federation {

/// Returns the agent's own key of an endpoint of its node: <key> of "cluster/node/<key>". Returns the whole key if the
/// endpoint is of another node.
std::string own_key(const std::string& node, const std::string& key);

/// The hashes of all records that one node's agent has reported, over all its sessions. Agent and federation compare
/// their sums (digests). Keys are kept as hashes, not as text.
class NodeCopy {
 public:
  /// Notes a record.
  /// hash: of the record's key and bytes
  void put(const std::string& key, std::uint64_t hash);
  void erase(const std::string& key);
  void clear();
  /// Returns whether the agent has sent a record with this key; refused records count.
  bool has(const std::string& key) const { return hash_of(key) != 0; }
  /// Returns the hash of the record with this key; 0 = the agent has sent none.
  std::uint64_t hash_of(const std::string& key) const;
  /// Notes that the catalog or the session refused a record. Remembers the key only if the catalog has an earlier
  /// version of the record, because an agent can make up any number of keys.
  /// refusal.key: "cluster/node/key"
  void note_refused(const std::string& node, const catalog::Refusal& refusal, const catalog::Catalog& catalog);
  /// The number of keys that the agent has reported; refused records count.
  std::size_t size() const { return hashes_.size(); }
  /// Returns whether the agent reports this key and the catalog has the reported version.
  bool watches(const std::string& key) const { return has(key) && !unusable_.contains(key); }
  /// The sum of all hashes. The agent computes the same sum.
  std::uint64_t digest() const { return digest_; }

  std::uint64_t known_sequence = 0;
  bool whole = false;       // false = no Full was sent to its end, or the catalog lacks some of it
  std::size_t no_room = 0;  // records of the agent that were refused for want of room
  bool forbidden = false;   // a record was refused that other rules might allow

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> hashes_;  // hashes of records, by the hash of the key
  std::set<std::string> unusable_;  // keys whose last version was refused and says nothing about the kept one
  std::uint64_t digest_ = 0;
};

// How it works
//
// An agent that is heard does not necessarily check everything that the catalog has of its node. After a restart it
// knows nothing of a source that it cannot read (a typo in a file, a folder that is not mounted). The records stay,
// because nobody has withdrawn them, but nothing shows whether the endpoints live. Each endpoint that is not checked is
// marked in its record, which puts it in doubt at once. When that has lasted for a lease, the time that a silent agent
// has, the node's status says so and the marked endpoints become the last resort; Agents asks the brakes first. An
// endpoint that the agent checks again loses its mark with the first result.
//
//   Full, sources reported -> told(): marks, entry -> lease over: lapsed -> brakes -> NodeStatus.unwatched
//
// The same entry holds endpoints whose source is read and no longer lists them, but whose replacement is not published
// yet. They are withdrawn when the replacement is published, or after kReplacement.

/// Finds the endpoints of heard nodes that no agent checks, and for how long. Used by Agents, which publishes the
/// status. Pure, except that it marks and withdraws endpoints in the catalog.
/// thread: control
class Coverage {
 public:
  /// The longest time that a replaced endpoint waits for its replacement.
  static constexpr Duration kReplacement = 2min;
  /// The time between two looks at a node whose unchecked endpoints are the last resort already.
  static constexpr Duration kPause = 10s;

  /// catalog: must outlive this
  explicit Coverage(catalog::Catalog& catalog) : catalog_(catalog) {}

  /// Takes note of a report: all records, or that the agent now reads other sources than before.
  /// listed: the sources whose records are complete now
  /// lease:  the time after which an endpoint that no agent checks counts as silent
  void told(const std::string& node, const NodeCopy& copy, const std::set<std::string>& listed, Duration lease,
            TimePoint now);
  /// Takes note of a report on single endpoints: the endpoints that they replace may go.
  void changed(const std::string& node, TimePoint now);
  struct Swept {
    bool lapsed = false;              // the lease of some node's endpoints is over
    std::vector<std::string> over{};  // nodes whose endpoints are all checked again
  };
  /// Looks at the nodes whose time has come.
  Swept sweep(TimePoint now);
  /// Returns whether all endpoints of the node are checked again, for callers who have replaced some.
  bool is_over(const std::string& node);
  /// Drops what is known of a node.
  void forget(const std::string& node) { entries_.erase(node); }

  /// Returns whether some of a node's endpoints have not been checked for a lease.
  bool is_lapsed(const std::string& node) const;
  struct Lapsed {
    const std::string& node;
    TimePoint since{};
    std::size_t endpoints = 0;
  };
  /// The number of such nodes.
  std::size_t lapsed() const;
  /// Calls `see` with each such node, and since when its endpoints are not checked.
  void each_lapsed(const std::function<void(const Lapsed&)>& see) const;

  /// Returns the text for a source's error, like "does not read endpoints.d: app-b.yaml:7:5: ...". Cut, and without
  /// control characters, because an agent wrote the error.
  static std::string problem_text(const std::string& source, const std::string& error);

 private:
  struct Entry {
    TimePoint since{};  // since when endpoints are not checked
    TimePoint due{};    // the next look
    bool lapsed = false;
    std::size_t endpoints = 0;       // endpoints that no agent checks
    std::set<std::string> replaced;  // endpoints that wait for their replacements
    TimePoint replaced_since{};
  };
  std::size_t unwatched(const std::string& node) const;
  void withdraw_replaced(const std::string& node, Entry& entry, TimePoint now);

  catalog::Catalog& catalog_;
  std::map<std::string, Entry> entries_;  // by node
};

}  // namespace meshdns::federation
