# SPDX-License-Identifier: MPL-2.0
# Code generated from a schema: made in the build folder, never committed, never edited, compiled
# without our warnings, and seen by its one user only (docs/style.md).

find_program (PROTOC_C protoc-c)
if (NOT PROTOC_C)
    message (FATAL_ERROR "protoc-c is missing: apt-get install protobuf-c-compiler")
endif ()

# baton_protobuf_c makes the static library [target] from the schema [schema], a path below the
# source root such as proto/wire.proto. Users include "proto/wire.pb-c.h".
function (baton_protobuf_c target schema)
    set (root "${PROJECT_BINARY_DIR}/generated")
    string (REGEX REPLACE "\\.proto$" "" stem "${schema}")
    set (made "${root}/${stem}.pb-c.c" "${root}/${stem}.pb-c.h")
    file (MAKE_DIRECTORY "${root}")
    add_custom_command (
        OUTPUT ${made}
        COMMAND "${PROTOC_C}" "--proto_path=${PROJECT_SOURCE_DIR}" "--c_out=${root}"
            "${PROJECT_SOURCE_DIR}/${schema}"
        DEPENDS "${PROJECT_SOURCE_DIR}/${schema}"
        COMMENT "Generating ${stem}.pb-c.[ch]"
        VERBATIM)
    add_library (${target} STATIC ${made})
    # SYSTEM keeps our warnings, and the tidy test, out of what we did not write.
    target_include_directories (${target} SYSTEM PUBLIC "${root}")
    target_link_libraries (${target} PUBLIC PkgConfig::PROTOBUF_C)
    target_compile_options (${target} PRIVATE -w)
    if (BATON_SANITIZE)
        target_compile_options (${target} PRIVATE -fsanitize=${BATON_SANITIZE} -O1 -g)
    endif ()
endfunction ()
