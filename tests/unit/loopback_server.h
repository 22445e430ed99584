/* A web server on 127.0.0.1 for tests, in a thread, one request at a time. The first part of a path says
 * how it is answered, the rest which file is asked for: /right/NAME, /short/NAME, ... */
#ifndef LOOPBACK_SERVER_H
#define LOOPBACK_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "idx_maker.h"

enum { SERVED_FILES = 4 };

typedef struct served {
    const char *name;
    bytes content;
} served;

typedef struct web_server {
    int socket, port;
    pthread_t thread;
    served files[SERVED_FILES];
    atomic_int requests;
} web_server;

static inline void send_all(int client, const void *data, size_t length)
{
    const char *from = data;
    while (length > 0) {
        ssize_t sent = send(client, from, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        from += sent;
        length -= (size_t)sent;
    }
}

static inline void send_head(int client, const char *status, const char *more)
{
    char head[512];
    int length =
        snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nConnection: close\r\n%s\r\n", status, more);
    send_all(client, head, (size_t)length);
}

static inline void send_length(int client, size_t length)
{
    char line[64];
    snprintf(line, sizeof(line), "Content-Length: %zu\r\n", length);
    send_head(client, "200 OK", line);
}

static inline void wait_for_client_to_leave(int client)
{
    char ignored[256];
    while (recv(client, ignored, sizeof(ignored), 0) > 0)
        ;
}

static inline void send_redirect(const web_server *server, int client, const char *way, const char *name)
{
    char line[256];
    if (strcmp(way, "to-file") == 0)
        snprintf(line, sizeof(line), "Location: file:///etc/passwd\r\nContent-Length: 0\r\n");
    else
        snprintf(line, sizeof(line), "Location: http://127.0.0.1:%d/%s/%s\r\nContent-Length: 0\r\n",
                 server->port, strcmp(way, "loop") == 0 ? "loop" : "right", name);
    send_head(client, "302 Found", line);
}

static inline void answer_wrongly(int client, const char *way, bytes file)
{
    if (strcmp(way, "short") == 0) {
        send_length(client, file.length);
        send_all(client, file.at, file.length / 2);
    } else if (strcmp(way, "stall") == 0) {
        send_length(client, file.length);
        send_all(client, file.at, file.length / 2);
        wait_for_client_to_leave(client);
    } else if (strcmp(way, "silent") == 0) {
        wait_for_client_to_leave(client);
    } else if (strcmp(way, "lies") == 0) {
        send_length(client, file.length);
        send_all(client, file.at, file.length - 1);
        send_all(client, (const uint8_t[]){(uint8_t)(file.at[file.length - 1] ^ 1)}, 1);
    } else if (strcmp(way, "empty") == 0) {
        send_length(client, 0);
    } else if (strcmp(way, "long") == 0) {
        send_head(client, "200 OK", "");
        send_all(client, file.at, file.length);
        send_all(client, file.at, file.length);
    } else if (strcmp(way, "says-long") == 0) {
        send_length(client, (size_t)1 << 40);
        send_all(client, file.at, file.length);
    } else if (strcmp(way, "503") == 0) {
        send_head(client, "503 Service Unavailable", "Content-Length: 5\r\n");
        send_all(client, "later", 5);
    } else {
        send_head(client, "403 Forbidden", "Content-Length: 2\r\n");
        send_all(client, "no", 2);
    }
}

static inline void answer(web_server *server, int client)
{
    char request[2048], way[32], name[64];
    size_t length = 0;
    while (length < sizeof(request) - 1) {
        ssize_t got = recv(client, request + length, sizeof(request) - 1 - length, 0);
        if (got <= 0)
            return;
        length += (size_t)got;
        request[length] = '\0';
        if (strstr(request, "\r\n\r\n") != NULL)
            break;
    }
    atomic_fetch_add(&server->requests, 1);
    if (sscanf(request, "GET /%31[^/]/%63s HTTP/1.1", way, name) != 2)
        return;
    bytes file = {0};
    for (int i = 0; i < SERVED_FILES; i++)
        if (strcmp(server->files[i].name, name) == 0)
            file = server->files[i].content;
    if (file.at == NULL) {
        send_head(client, "404 Not Found", "Content-Length: 0\r\n");
    } else if (strcmp(way, "right") == 0) {
        send_length(client, file.length);
        send_all(client, file.at, file.length);
    } else if (strcmp(way, "no-length") == 0) {
        send_head(client, "200 OK", "");
        send_all(client, file.at, file.length);
    } else if (strcmp(way, "redirect") == 0 || strcmp(way, "loop") == 0 || strcmp(way, "to-file") == 0) {
        send_redirect(server, client, way, name);
    } else {
        answer_wrongly(client, way, file);
    }
}

static inline void *serve(void *argument)
{
    web_server *server = argument;
    int client;
    while ((client = accept(server->socket, NULL, NULL)) >= 0) {
        answer(server, client);
        shutdown(client, SHUT_WR);
        wait_for_client_to_leave(client);
        close(client);
    }
    return NULL;
}

/* On a port that the system picks; the files have been set before. */
static inline void start_server(web_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    server->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->socket < 0 || bind(server->socket, (struct sockaddr *)&address, length) != 0 ||
        listen(server->socket, 8) != 0 ||
        getsockname(server->socket, (struct sockaddr *)&address, &length) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    if (pthread_create(&server->thread, NULL, serve, server) != 0)
        abort();
}

static inline void stop_server(web_server *server)
{
    shutdown(server->socket, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->socket);
    for (int i = 0; i < SERVED_FILES; i++)
        free(server->files[i].content.at);
}

#endif
