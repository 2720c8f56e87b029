// What packaging/examples and docs/config-*.md say is what the readers know.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <set>

#include "common/base/whole_file.h"
#include "common/config/load.h"
#include "common/config/rules.h"

namespace meshdns::config {
namespace {

template <class T>
void expect_loads(Loaded<T> (*load)(const std::string&, const std::string&), const std::string& name) {
  const std::string path = "packaging/examples/" + name;
  const auto loaded = load(read_file(path).value(), path);
  EXPECT_TRUE(loaded) << problems_text(loaded.error());
}

TEST(Examples, load) {
  expect_loads(load_dnsd, "meshdnsd.yaml");
  expect_loads(load_agent, "agent.yaml");
  expect_loads(load_endpoints, "endpoints.d/app-b.yaml");
  expect_loads(load_objects, "app-b.yaml");
  expect_loads(load_objects, "clusters.yaml");
  expect_loads(load_mesh, "mesh.yaml");
}

/// The first YAML block of a page is a whole file.
std::string first_yaml_block(const std::string& page) {
  const auto from = page.find("```yaml\n");
  const auto to = page.find("\n```", from);
  return page.substr(from + 8, to - from - 7);
}

template <class T>
void expect_page_loads(Loaded<T> (*load)(const std::string&, const std::string&), const std::string& page) {
  const auto loaded = load(first_yaml_block(read_file(page).value()), page);
  EXPECT_TRUE(loaded) << problems_text(loaded.error());
}

TEST(Docs, examples_load) {
  expect_page_loads(load_dnsd, "docs/config-meshdnsd.md");
  expect_page_loads(load_agent, "docs/config-agent.md");
  expect_page_loads(load_objects, "docs/config-objects.md");
}

/// Each key has a row "| `key` | type | default | ..."; those that are refused say so.
void expect_rows(const google::protobuf::Descriptor& type, const std::string& page, std::set<std::string> open = {}) {
  if (!open.insert(type.full_name()).second) return;
  const bool object = type.file()->package() == "meshdns.v1";
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    const std::string key = object ? field.json_name() : field.name();
    const auto row = page.find("`" + key + "` |");
    const auto line = row == std::string::npos ? "" : page.substr(row, page.find('\n', row) - row);
    EXPECT_NE(line, "") << type.full_name() << "." << key;
    const v1::Rules& rules = rules_of(field);
    if (!rules.later().empty() && rules.one_of().empty()) {
      EXPECT_THAT(line, testing::HasSubstr("not supported yet")) << key;
      continue;
    }
    if (field.message_type() != nullptr && !field.is_map() && !is_duration(field)) {
      expect_rows(*field.message_type(), page, open);
    }
  }
}

TEST(Docs, have_a_row_for_every_key) {
  expect_rows(*v1::Meshdnsd::descriptor(), read_file("docs/config-meshdnsd.md").value());
  // agents refuse identity.kubernetes, which has its rows in the other page
  expect_rows(*v1::Agent::descriptor(), read_file("docs/config-agent.md").value(),
              {v1::KubernetesIdentity::descriptor()->full_name()});
  expect_rows(*v1::EndpointsFile::descriptor(), read_file("docs/config-agent.md").value());
  const auto objects = read_file("docs/config-objects.md").value();
  expect_rows(*meshdns::v1::Metadata::descriptor(), objects);
  expect_rows(*meshdns::v1::VirtualDestinationSpec::descriptor(), objects);
  expect_rows(*meshdns::v1::ClusterSpec::descriptor(), objects);
  expect_rows(*meshdns::v1::OverrideSpec::descriptor(), objects);
  const auto dnsd = read_file("docs/config-meshdnsd.md").value();
  expect_rows(*v1::MeshNode::descriptor(), dnsd);
  for (const auto* key : {"nodes", "objects"}) EXPECT_THAT(dnsd, testing::HasSubstr(std::string("`") + key + "` |"));
}

/// Every default that the readers fill in stands in the row of its key.
void expect_defaults(const google::protobuf::Descriptor& type, const std::string& page) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    for (const auto& text : rules_of(field).fallback()) {
      bool said = false;
      for (auto at = page.find("`" + field.name() + "` |"); at != std::string::npos && !said;) {
        const auto end = page.find('\n', at);
        said = page.substr(at, end - at).find(text) != std::string::npos;
        at = page.find("`" + field.name() + "` |", end);
      }
      EXPECT_TRUE(said) << field.full_name() << " " << text;
    }
    const bool ours = field.message_type() != nullptr && field.message_type()->file()->package() == "meshdns.config.v1";
    if (ours && !field.is_map()) expect_defaults(*field.message_type(), page);
  }
}

TEST(Docs, tell_the_defaults) {
  const auto dnsd = read_file("docs/config-meshdnsd.md").value();
  expect_defaults(*v1::Meshdnsd::descriptor(), dnsd);
  expect_defaults(*v1::MeshFile::descriptor(), dnsd);
  const auto agent = read_file("docs/config-agent.md").value();
  expect_defaults(*v1::Agent::descriptor(), agent);
  expect_defaults(*v1::EndpointsFile::descriptor(), agent);
}

}  // namespace
}  // namespace meshdns::config
