/* A web server on 127.0.0.1 that serves the files of a folder, one request after the other, until it is
 * killed; it prints its port. The first part of a path says how: /right/NAME as it is, /short/NAME
 * without its last byte, /lie/NAME with its last byte changed, /slow/NAME a few bytes and then nothing;
 * all else is 403. serve FOLDER */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_all(int client, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(client, data, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        data += sent;
        length -= (size_t)sent;
    }
}

static void send_head(int client, const char *status, size_t length)
{
    char head[256];
    int size =
        snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                 status, length);
    send_all(client, head, (size_t)size);
}

static char *read_file(const char *folder, const char *name, size_t *length)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    *length = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*length + 1);
    if (bytes == NULL || fread(bytes, 1, *length, file) != *length)
        exit(99);
    fclose(file);
    return bytes;
}

static void answer(int client, const char *folder, const char *manner, const char *name)
{
    size_t length;
    char *bytes = read_file(folder, name, &length);
    bool known = strcmp(manner, "right") == 0 || strcmp(manner, "short") == 0 ||
                 strcmp(manner, "lie") == 0 || strcmp(manner, "slow") == 0;
    if (bytes == NULL || !known || length == 0) {
        send_head(client, bytes == NULL && known ? "404 Not Found" : "403 Forbidden", 0);
    } else {
        send_head(client, "200 OK", length);
        if (strcmp(manner, "lie") == 0)
            bytes[length - 1] ^= 1;
        send_all(client, bytes,
                 strcmp(manner, "short") == 0  ? length - 1
                 : strcmp(manner, "slow") == 0 ? length / 2
                                               : length);
        if (strcmp(manner, "slow") == 0)
            (void)!read(client, bytes, length); /* until the client has had enough */
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (argc != 2 || listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 || listen(listener, 8) != 0)
        return 99;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        char request[4096], manner[16], name[64];
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        ssize_t got = recv(client, request, sizeof(request) - 1, 0);
        request[got > 0 ? got : 0] = '\0';
        if (sscanf(request, "GET /%15[a-z]/%63[a-z0-9.-]", manner, name) == 2)
            answer(client, argv[1], manner, name);
        else
            send_head(client, "403 Forbidden", 0);
        close(client);
    }
}
