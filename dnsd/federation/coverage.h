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

/// The agent's key of an endpoint of its node, "cluster/node/<key>"; the whole key if it is of another one.
std::string own_key(const std::string& node, const std::string& key);

/// What one node's agent has told us, over all of its sessions. A record is known by the hash of its key.
class NodeCopy {
 public:
  /// hash: of the record's key and bytes
  void put(const std::string& key, std::uint64_t hash);
  void erase(const std::string& key);
  void clear();
  /// Whether the agent has sent a record with this key, refused ones included.
  bool has(const std::string& key) const { return hash_of(key) != 0; }
  /// Returns the hash of the record with this key; 0 = the agent has sent none.
  std::uint64_t hash_of(const std::string& key) const;
  /// Notes that the catalog or the session did not take a record. Its key is remembered only if the catalog has an
  /// earlier version of it: the keys that an agent can make up have no end. refusal.key: "cluster/node/key"
  void note_refused(const std::string& node, const catalog::Refusal& refusal, const catalog::Catalog& catalog);
  /// How many keys the agent has told, those of refused records included.
  std::size_t size() const { return hashes_.size(); }
  /// Whether what the agent tells of this key is what the catalog has.
  bool watches(const std::string& key) const { return has(key) && !unusable_.contains(key); }
  /// The sum of all hashes, as the agent counts it.
  std::uint64_t digest() const { return digest_; }

  std::uint64_t known_sequence = 0;
  bool whole = false;       // no: a Full was never sent to its end, or the catalog lacks some of it
  std::size_t no_room = 0;  // records that were refused for want of room

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> hashes_;  // by the hash of the key
  std::set<std::string> unusable_;  // keys whose last version was refused, and says nothing of the one that was kept
  std::uint64_t digest_ = 0;
};

// How it works. An agent that is heard need not check everything that the catalog has of its node: after a restart it
// knows nothing of what it cannot read (a typo in a file, a folder that is not mounted). Its records stay, because
// nobody has withdrawn them, but nothing tells whether they live. Whoever is not checked is marked in its record, which
// puts it in doubt at once. When it has been so for a lease, as long as a silent agent has, the node's status says so,
// and the marked endpoints become the last resort; Agents asks the brakes first. An endpoint that an agent checks again
// loses its mark with the first result.
//
//   Full, sources told -> told(): marks, entry -> lease over: lapsed -> brakes -> NodeStatus.unwatched
//
// The same entry holds endpoints whose source is read and does not list them any more, but whose replacement is not
// published yet: they are withdrawn when it is.

/// Knows which endpoints of heard nodes no agent checks, and for how long. Pure.
/// thread: control
class Coverage {
 public:
  /// An endpoint that is replaced waits at most so long for what replaces it.
  static constexpr Duration kReplacement = 2min;
  /// Between two looks at a node whose unwatched endpoints are the last resort already.
  static constexpr Duration kPause = 10s;

  explicit Coverage(catalog::Catalog& catalog) : catalog_(catalog) {}

  /// The agent has told what it has: all of it, or that its sources are read otherwise than before.
  /// listed: the sources whose records are complete now; lease: until nobody's check counts as silence
  void told(const std::string& node, const NodeCopy& copy, const std::set<std::string>& listed, Duration lease,
            TimePoint now);
  /// The agent has told something of single endpoints: those that they replace may go.
  void changed(const std::string& node, TimePoint now);
  struct Swept {
    bool lapsed = false;              // the lease of some node's endpoints ran out
    std::vector<std::string> over{};  // nodes of which everything is checked again
  };
  /// Looks at the nodes whose time has come.
  Swept sweep(TimePoint now);
  void forget(const std::string& node) { entries_.erase(node); }

  /// Whether some of a node's endpoints have not been checked for a lease, and since when.
  bool is_lapsed(const std::string& node) const;
  struct Lapsed {
    const std::string& node;
    TimePoint since{};
    std::size_t endpoints = 0;
  };
  std::size_t lapsed() const;
  void each_lapsed(const std::function<void(const Lapsed&)>& see) const;

  /// "does not read endpoints.d: app-b.yaml:7:5: ...", of what a source says is wrong; short and without control
  /// characters, because an agent wrote it.
  static std::string problem_text(const std::string& source, const std::string& error);

 private:
  struct Entry {
    TimePoint since{};  // nobody checks
    TimePoint due{};    // the next look
    bool lapsed = false;
    std::size_t endpoints = 0;       // that nobody checks
    std::set<std::string> replaced;  // endpoints that wait for their replacements
    TimePoint replaced_since{};
  };
  std::size_t unwatched(const std::string& node) const;
  void withdraw_replaced(const std::string& node, Entry& entry, TimePoint now);

  catalog::Catalog& catalog_;
  std::map<std::string, Entry> entries_;  // by node
};

}  // namespace meshdns::federation
