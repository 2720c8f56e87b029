#pragma once

#include <cstdlib>
#include <cstring>

namespace meshdns::test {

/// Returns whether the tests run at the smallest sizes: parts of one record, logs of two changes, blocks of one line.
/// ctest runs the tests of federation, mirror, agent report, store and watches once with the usual sizes and once with
/// these (tests/CMakeLists.txt).
inline bool at_smallest_sizes() {
  const char* sizes = std::getenv("MESHDNS_TEST_SIZES");
  return sizes != nullptr && std::strcmp(sizes, "smallest") == 0;
}

/// Returns the product's size, or the smallest size.
template <class T>
T size_or_smallest(T usual, T smallest) {
  return at_smallest_sizes() ? smallest : usual;
}

}  // namespace meshdns::test
