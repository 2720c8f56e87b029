#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

struct XXH3_state_s;

namespace meshdns::snapshot_file {

/// An XXH3 checksum that is computed while the bytes come.
class Digest {
 public:
  Digest();

  void add(std::string_view bytes);
  std::uint64_t value() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace meshdns::snapshot_file
