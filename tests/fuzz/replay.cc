// Runs a fuzz target over files, each once: the seeds as a test, without libFuzzer.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tests/fuzz/fuzz.h"

namespace fs = std::filesystem;

namespace {

void run(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  MESHDNS_CHECK(file.good() || file.eof());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t files = 0;
  for (int i = 1; i < count; ++i) {
    const fs::path path(arguments[i]);
    if (!fs::is_directory(path)) {
      run(path);
      ++files;
      continue;
    }
    for (const auto& entry : fs::directory_iterator(path)) {
      run(entry.path());
      ++files;
    }
  }
  std::cout << files << " inputs\n";
  return files == 0 ? 1 : 0;
}
