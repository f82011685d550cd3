# SPDX-License-Identifier: MPL-2.0
# libbaton for users: one shared library for both ends that exports baton_* alone, a static one
# whose inside is made local, and headers under their installed names.

set (rooms baton_msg baton_heap baton_wire baton_wire_schema baton_link baton_port baton_client
    baton_server)
foreach (room IN LISTS rooms)
    list (APPEND objects $<TARGET_OBJECTS:${room}>)
endforeach ()

add_library (libbaton SHARED ${objects} "${PROJECT_SOURCE_DIR}/client/library_assert.c")
target_link_libraries (libbaton PRIVATE
    baton_flags PkgConfig::ZMQ PkgConfig::PROTOBUF_C Threads::Threads)
set_target_properties (libbaton PROPERTIES OUTPUT_NAME baton VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_options (libbaton PRIVATE -Wl,--no-undefined -Wl,--as-needed)

# The static library is one object in which all that is hidden is local, so that a program may have
# functions called link_new or port_send of its own.
set (one "${PROJECT_BINARY_DIR}/lib/baton.o")
set (archive "${PROJECT_BINARY_DIR}/lib/libbaton.a")
add_library (baton_assert OBJECT "${PROJECT_SOURCE_DIR}/client/library_assert.c")
target_link_libraries (baton_assert PRIVATE baton_flags)
add_custom_command (OUTPUT "${archive}"
    COMMAND "${CMAKE_COMMAND}" -E rm -f "${archive}"
    COMMAND "${CMAKE_LINKER}" -r -o "${one}" ${objects} $<TARGET_OBJECTS:baton_assert>
    COMMAND "${CMAKE_OBJCOPY}" --localize-hidden "${one}"
    COMMAND "${CMAKE_AR}" rcs "${archive}" "${one}"
    DEPENDS ${rooms} baton_assert ${objects} $<TARGET_OBJECTS:baton_assert>
    COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Making libbaton.a with local inside")
add_custom_target (libbaton_static ALL DEPENDS "${archive}")

# Inside, headers are named from the source root; users say <baton/...>. So the files under include/
# are made, not kept twice. Refusals are between library and broker: programs never see them.
set (baton_headers client/baton.h baton.h client/baton_client.h baton/client.h
    server/baton_server.h baton/server.h proto/errors.h baton/errors.h proto/bytes.h baton/bytes.h)
set (include_dir "${PROJECT_BINARY_DIR}/include")
while (baton_headers)
    list (POP_FRONT baton_headers from to)
    set_property (DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${from}")
    file (READ "${PROJECT_SOURCE_DIR}/${from}" text)
    string (REGEX REPLACE "#include \"proto/([a-z_]+)\\.h\"" "#include <baton/\\1.h>"
        text "${text}")
    string (REGEX REPLACE "#include \"(client|server)/baton_[a-z]+\\.h\"" "#include <baton/\\1.h>"
        text "${text}")
    string (REGEX REPLACE "// Refusals are.*\n(// baton_strerror)" "\\1" text "${text}")
    string (REGEX REPLACE "// refusal_name.*\n(#ifdef __cplusplus)" "\\1" text "${text}")
    if (text MATCHES "refusal_|REFUSAL_|[ (]enum refusal")
        message (FATAL_ERROR "${from}: refusals would be public; see where they are cut, above")
    endif ()
    file (CONFIGURE OUTPUT "${include_dir}/${to}" CONTENT "${text}" @ONLY)
endwhile ()
target_include_directories (libbaton INTERFACE "$<BUILD_INTERFACE:${include_dir}>")
add_library (baton::baton ALIAS libbaton)

install (TARGETS libbaton LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install (FILES "${archive}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install (FILES "${include_dir}/baton.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install (DIRECTORY "${include_dir}/baton" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
