#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::bench {

/// The words of a command line: "--agents 100 --server 127.0.0.1:7400".
class Flags {
 public:
  /// Ends the process with exit code 2 where a word is not a flag with a value.
  Flags(int count, char** words);
  std::string text(const std::string& name, const std::string& otherwise = "") const;
  int number(const std::string& name, int otherwise) const;

 private:
  std::map<std::string, std::string> values_;
};

/// A mesh that follows from its numbers alone. Endpoint `e` of agent `a` has the number a * endpoints + e and belongs
/// to the service number % services, so that the endpoints of one service lie on different nodes.
struct Mesh {
  explicit Mesh(const Flags& flags);

  int agents;
  int endpoints;  // of each agent
  int services;
  int clusters;

  model::Node node(int agent) const;
  model::Endpoint endpoint(int agent, int number) const;
};

/// An endpoint that changes tells the moment in its health's detail, so that whoever sees the change on this machine
/// knows how long it took.
std::string sent_at(TimePoint now);
/// The moment in an encoded endpoint; nothing = it never changed.
std::optional<TimePoint> moment_in(std::string_view encoded);

}  // namespace meshdns::bench
