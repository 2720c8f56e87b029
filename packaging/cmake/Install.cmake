# cmake --install build/release --prefix /usr: what stands where the units expect it. Binaries: meshdns_binary().
# Configurations are the operator's: /etc is not touched, the examples go to share/meshdns/examples.
set(MESHDNS_DOCS ${CMAKE_INSTALL_DATAROOTDIR}/doc/meshdns)

install(FILES systemd/meshdns.sysusers DESTINATION lib/sysusers.d RENAME meshdns.conf)
install(FILES systemd/meshdns.tmpfiles DESTINATION lib/tmpfiles.d RENAME meshdns.conf)
install(FILES packaging/examples/agent.yaml packaging/examples/meshdnsd.yaml packaging/examples/mesh.yaml
              packaging/examples/app-b.yaml packaging/examples/clusters.yaml
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/meshdns/examples)
install(DIRECTORY packaging/examples/endpoints.d packaging/examples/meshdns-agent.service.d DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/meshdns/examples)
install(FILES systemd/port-mapping.conf DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/meshdns/systemd)
install(DIRECTORY packaging/kubernetes DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/meshdns)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${MESHDNS_DOCS})
install(DIRECTORY docs/ DESTINATION ${MESHDNS_DOCS} FILES_MATCHING PATTERN "*.md")

# Completion of command lines, where the shells look for it; meshdnsctl writes the scripts itself.
install(CODE "
  get_filename_component(prefix \"\${CMAKE_INSTALL_PREFIX}\" ABSOLUTE BASE_DIR \"${CMAKE_BINARY_DIR}\")
  foreach(place IN ITEMS bash:bash-completion/completions/meshdnsctl zsh:zsh/vendor-completions/_meshdnsctl
                         fish:fish/vendor_completions.d/meshdnsctl.fish)
    string(REGEX MATCH \"^[a-z]+\" shell \"\${place}\")
    string(REGEX REPLACE \"^[a-z]+:\" \"\" path \"\${place}\")
    execute_process(COMMAND \"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/meshdnsctl\" completion \${shell}
                    OUTPUT_VARIABLE script COMMAND_ERROR_IS_FATAL ANY)
    set(installed \"\$ENV{DESTDIR}\${prefix}/share/\${path}\")
    message(STATUS \"Installing: \${installed}\")
    file(WRITE \"\${installed}\" \"\${script}\")
  endforeach()
")

# The units name the folder that the binaries really go to, which is known only when they are installed.
install(CODE "
  get_filename_component(prefix \"\${CMAKE_INSTALL_PREFIX}\" ABSOLUTE BASE_DIR \"${CMAKE_BINARY_DIR}\")
  foreach(unit IN ITEMS meshdnsd.service meshdnsd.socket meshdns-agent.service)
    file(READ \"${CMAKE_SOURCE_DIR}/systemd/\${unit}\" text)
    string(REPLACE \"/usr/bin/mesh\" \"\${prefix}/bin/mesh\" text \"\${text}\")
    string(REPLACE \"/usr/share/doc/\" \"\${prefix}/share/doc/\" text \"\${text}\")
    set(installed \"\$ENV{DESTDIR}\${prefix}/lib/systemd/system/\${unit}\")
    message(STATUS \"Installing: \${installed}\")
    file(WRITE \"\${installed}\" \"\${text}\")
    file(CHMOD \"\${installed}\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  endforeach()
")
