#pragma once

#include <functional>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "meshdns/config/v1/agent.pb.h"
#include "meshdns/config/v1/dnsd.pb.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::config {

/// One thing that is wrong in a file. Lines and columns count from 1; 0 = the file as a whole.
struct Problem {
  std::string file;
  int line = 0, column = 0;
  std::string path;  // "spec.ports[0].targetPort"; empty = the document
  std::string what;

  /// "file:line:col: path: what"
  std::string text() const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

using Problems = std::vector<Problem>;

/// A value, or everything that is wrong with it at once, in the order of the lines.
template <class T>
class [[nodiscard]] Loaded : public tl::expected<T, Problems> {
 public:
  using tl::expected<T, Problems>::expected;
  Loaded(Problems problems) : tl::expected<T, Problems>(tl::unexpected<Problems>(std::move(problems))) {}
};

/// What is wrong with dns.static_records, by their positions. Reading zone text is not for this library.
using RecordsCheck = std::function<std::map<std::size_t, std::string>(const v1::Meshdnsd&)>;

/// Each takes the whole text of a file; `file` only appears in the problems. Unknown keys are problems, and so is what
/// is known but not supported yet; defaults of daemon configs are filled in.
Loaded<v1::Meshdnsd> load_dnsd(const std::string& text, const std::string& file);
Loaded<v1::Meshdnsd> load_dnsd(const std::string& text, const std::string& file, const RecordsCheck& check_records);
Loaded<v1::Agent> load_agent(const std::string& text, const std::string& file);
/// One file of the agent's endpoints.d.
Loaded<v1::EndpointsFile> load_endpoints(const std::string& text, const std::string& file);
/// dns.endpoints_file: nodes with their endpoints, and objects.
Loaded<v1::MeshFile> load_mesh(const std::string& text, const std::string& file);
/// Operators' objects; several documents with '---' between, or lists of objects. No defaults: an object stays what was
/// applied.
Loaded<std::vector<meshdns::v1::Object>> load_objects(const std::string& text, const std::string& file);

Result<std::string> read_file(const std::string& path);
/// One problem per line, each with a line end.
std::string problems_text(const Problems& problems);

}  // namespace meshdns::config
