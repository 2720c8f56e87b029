#include <gtest/gtest.h>

#include "tests/scenario/mesh/mesh_subject.h"

TEST(Scenario, Mesh) {
  meshdns::test::run_scenarios("mesh", [] { return std::make_unique<meshdns::test::MeshSubject>(); });
}
